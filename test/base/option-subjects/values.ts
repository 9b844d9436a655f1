import { PKey } from "../../../src/crypto/index.js";

/** Something public that takes options, and what must not be given to it. */
export interface OptionSubject {
  readonly name: string;
  /** Where the options are part of others: the name of that option. */
  readonly within?: string;
  /** Whether it can do without options. */
  readonly optional?: true;
  /** Values that are right without being objects. */
  readonly shorthands?: readonly unknown[];
  call(options: never): unknown;
  /** Options that are right. */
  readonly valid: Readonly<Record<string, unknown>>;
  /** Every option that there is, each with values that are not right. */
  readonly wrong: Readonly<Record<string, readonly unknown[]>>;
  /** Options that have to be given. */
  readonly required?: readonly string[];
  /** Options that may be left out, and must not be `undefined`. */
  readonly notUndefined?: readonly string[];
  /** Options that exclude another one. */
  readonly instead?: Readonly<Record<string, string>>;
}

export const nothing = () => undefined;

export const notText = [5, true, {}, [], nothing];

export const notNumber = ["5", true, {}, [], nothing, Number.NaN, -1];

export const notFunction = ["text", 5, true, {}, []];

export const notFlag = ["no", 0, {}];

export const notObject = ["text", 5, true, [], nothing];

export const notLogger = ["pino", "INFO", 5, {}, [], nothing, { debug: nothing }];

export const notChoice = ["maybe", "", 1, true, {}, []];

export const notNetworks = [Object.create(null), "10.0.0.0/33", "example.com", 5, {}, [5], nothing];

export const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export const key = PKey.generate({ keyType: "ed25519" });

export const notKey = ["ssh-ed25519 AAAA", 5, true, {}, [], nothing];
