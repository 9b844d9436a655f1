import { ConfigurationError } from "../base/configuration-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkLimit, checkNumber, checkOptions, kindOf, LONGEST_TIME } from "../base/option-checks.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { ForwardingDecision } from "./decision.js";
import { LISTEN_OPTIONS, type ListenOptions, resolveListenOptions } from "./listen-options.js";
import type { ListenRequest, LocalTarget } from "./target.js";
import type { HostLookup } from "./tcp/connect-target.js";

/**
 * The forwarding that clients may ask for. Without a declaration, nothing is forwarded. `Data` is what the Grants of the login have.
 */
export interface ForwardingOptions<Data = unknown> extends ListenOptions {
  /**
   * Decides where clients may be connected to by `ssh -L`, `-D`, `-W` and `-J`: to a TCP port, or to a socket of the file
   * system (`path`). `allowTargets` makes such a decision of a list.
   */
  readonly local?: (target: LocalTarget<Data>) => MaybePromise<ForwardingDecision>;
  /** Decides where the server may listen for clients that ask by `ssh -R`. */
  readonly remote?: (request: ListenRequest<Data>) => MaybePromise<boolean>;
  /** Whether programs may use the client's agent (`ssh -A`), for all or by a decision. Default `false`. */
  readonly agent?: boolean | ((channel: SessionChannel<Data>) => MaybePromise<boolean>);
  /** Whether programs may show windows on the client's display (`ssh -X`), for all or by a decision. Default `false`. */
  readonly x11?: boolean | ((channel: SessionChannel<Data>) => MaybePromise<boolean>);
  /** Seconds from a client's request to the connection with its target; `false` is no limit. Default 30. */
  readonly connectTimeout?: number | false;
  /** Finds the addresses of a host in place of the operating system's resolver. */
  readonly lookup?: HostLookup;
}

const OPTION = "forwarding";

const OPTIONS: readonly (keyof ForwardingOptions)[] = [
  "local",
  "remote",
  "agent",
  "x11",
  "connectTimeout",
  "lookup",
  ...LISTEN_OPTIONS,
];

/**
 * Checks a declaration.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function checkForwardingOptions(options: ForwardingOptions): ForwardingOptions {
  const given = checkOptions(options, OPTIONS, OPTION);
  for (const name of ["local", "remote", "lookup"] as const) {
    if (given[name] !== undefined) checkFunction(`${OPTION}.${name}`, given[name]);
  }
  for (const name of ["agent", "x11"] as const) {
    if (!["boolean", "function", "undefined"].includes(typeof given[name])) {
      throw new ConfigurationError(
        `${OPTION}.${name}`,
        `must be true, false or a function, not ${kindOf(given[name])}`,
      );
    }
  }
  connectTimeoutOf(given);
  resolveListenOptions(given);
  return Object.freeze(given);
}

/** @returns milliseconds */
export function connectTimeoutOf({ connectTimeout = 30 }: ForwardingOptions): number {
  return 1000 * checkLimit(`${OPTION}.connectTimeout`, connectTimeout, 0.001, LONGEST_TIME, checkNumber);
}
