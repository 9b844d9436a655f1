import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkFunction, checkOptions, checkText } from "../../base/option-checks.js";
import { LinkInPathError, toFileError } from "../errors.js";
import type { AuditCircumstances, AuditEvent, AuditedOperation, AuditOutcome } from "./audit-event.js";

/** Options of `audit`. */
export interface AuditOptions {
  /** Gets every event. An error that it throws makes the operation fail. */
  readonly record: (event: AuditEvent) => MaybePromise<void>;
  /** The user of the file system. */
  readonly user?: string | undefined;
}

/** The time when something began. */
export interface Beginning {
  readonly time: Date;
  /** Milliseconds of `performance.now`. */
  readonly clock: number;
}

export const SUCCESS: AuditOutcome = { result: "OK" };

export function failure(error: unknown): AuditOutcome {
  return { result: toFileError(error).code, error };
}

export function begin(): Beginning {
  return { time: new Date(), clock: performance.now() };
}

/** The actions of one user, on their way to the record. */
export class AuditTrail {
  readonly #record: AuditOptions["record"];
  readonly #who: Pick<AuditCircumstances, "user">;

  constructor(options: AuditOptions) {
    const { record, user } = checkOptions(options, ["record", "user"]);
    this.#record = checkFunction("record", record);
    this.#who = user === undefined ? {} : { user: checkText("user", user) };
  }

  /**
   * Does something and records how it ended.
   *
   * @param undo takes back what could not be recorded
   */
  async run<T>(
    details: AuditedOperation,
    operation: () => MaybePromise<T>,
    undo?: (result: T, error: unknown) => Promise<void>,
  ): Promise<T> {
    const beginning = begin();
    let result: T;
    try {
      result = await operation();
    } catch (error) {
      await this.add(details, beginning, failure(error));
      throw error;
    }
    try {
      await this.add(details, beginning, SUCCESS);
    } catch (error) {
      // That it could not be recorded matters more than how taking it back ends.
      await undo?.(result, error).catch(() => undefined);
      throw error;
    }
    return result;
  }

  /** @throws {Error} of a kind that the server logs, when it could not be recorded */
  async add(details: AuditedOperation, { time, clock }: Beginning, outcome: AuditOutcome): Promise<void> {
    // Nothing has been done: the server asks again where the link leads.
    if (outcome.error instanceof LinkInPathError) return;
    try {
      await this.#record({ time, duration: performance.now() - clock, ...this.#who, ...details, ...outcome });
    } catch (cause) {
      throw new Error("An audit event could not be recorded", { cause });
    }
  }
}
