import { checkInteger, checkLimit, checkNumber, LONGEST_TIME } from "../base/option-checks.js";
import type { ChannelAuthority } from "../connection/channel-authority.js";
import type { AnyChannel } from "../session/connection.js";

/** The time that users who have logged in may stay. Times are in seconds; `false` is for ever. */
export interface SessionLimitOptions {
  /** From the login to the end of the connection, whatever happens on it. Default `false`. */
  readonly sessionTimeout?: number | false;
  /** Without data on any channel, in either direction: as ChannelTimeout `global`, but ends the connection. Default `false`. */
  readonly idleTimeout?: number | false;
  /** Without an open channel, from the login on: UnusedConnectionTimeout of sshd_config(5). Default `false`. */
  readonly unusedConnectionTimeout?: number | false;
  /** Sessions open on one connection: MaxSessions of sshd_config(5). 0 lets none be opened. Default 10. */
  readonly maxSessions?: number;
}

export const SESSION_LIMIT_OPTIONS: readonly (keyof SessionLimitOptions)[] = [
  "sessionTimeout",
  "idleTimeout",
  "unusedConnectionTimeout",
  "maxSessions",
];

/** The options, checked and complete. An option that sets no limit is Infinity. */
export type SessionLimitSettings = { readonly [Name in keyof SessionLimitOptions]-?: number };

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveSessionLimits(options: SessionLimitOptions): SessionLimitSettings {
  const seconds = (name: "sessionTimeout" | "idleTimeout" | "unusedConnectionTimeout") =>
    checkLimit(name, options[name] ?? false, 0.001, LONGEST_TIME, checkNumber);
  return {
    sessionTimeout: seconds("sessionTimeout"),
    idleTimeout: seconds("idleTimeout"),
    unusedConnectionTimeout: seconds("unusedConnectionTimeout"),
    maxSessions: checkInteger("maxSessions", options.maxSessions ?? 10, 0, 65_536),
  };
}

/** The clocks of a connection on which somebody has logged in. */
export class SessionClocks {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #unused: (() => void) | undefined;
  #unusedTimer: NodeJS.Timeout | undefined;
  #active = false;
  #stopped = false;

  /** @param over gets what has taken too long, once */
  constructor(settings: SessionLimitSettings, over: (message: string, reason: "idle" | "timeout") => void) {
    const { sessionTimeout, idleTimeout, unusedConnectionTimeout } = settings;
    if (Number.isFinite(sessionTimeout)) {
      this.#timers.push(setTimeout(() => over("the session has lasted too long", "timeout"), 1000 * sessionTimeout));
    }
    if (Number.isFinite(idleTimeout)) this.#watchIdleness(1000 * idleTimeout, over);
    if (Number.isFinite(unusedConnectionTimeout)) {
      this.#unused = () => {
        this.#unusedTimer ??= setTimeout(
          () => over("no channel was open for too long", "idle"),
          1000 * unusedConnectionTimeout,
        );
      };
    }
    this.#unused?.();
  }

  /** There was data on a channel. */
  touch(): void {
    this.#active = true;
  }

  /**
   * Learns of the channels that are opened and closed.
   *
   * @param count tells how many are open
   */
  watch(authority: ChannelAuthority<AnyChannel>, count: () => number): ChannelAuthority<AnyChannel> {
    if (this.#unused === undefined) return authority;
    return {
      ...authority,
      channelOpened: (channel) => {
        this.#clearUnused();
        authority.channelOpened(channel);
      },
      channelClosed: (channel) => {
        if (count() === 0 && !this.#stopped) this.#unused?.();
        authority.channelClosed(channel);
      },
    };
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#clearUnused();
  }

  #clearUnused(): void {
    clearTimeout(this.#unusedTimer);
    this.#unusedTimer = undefined;
  }

  /** Looks ten times as often as needed rather than at the time of each message. */
  #watchIdleness(time: number, over: (message: string, reason: "idle" | "timeout") => void): void {
    const looks = 10;
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = this.#active ? 0 : quiet + 1;
      this.#active = false;
      if (quiet >= looks) over("nothing has happened for too long", "idle");
    }, time / looks);
    this.#timers.push(timer);
  }
}
