import { checkInteger, checkNumber, LONGEST_TIME } from "../base/option-checks.js";
import type { ChannelAuthority } from "../connection/channel-authority.js";
import type { AnyChannel } from "../session/session-channel.js";

/** How long those may stay who have logged in. Times are in seconds; 0 is for ever. */
export interface SessionLimitOptions {
  /** From the login to the end of the connection, whatever happens on it. Default 0. */
  readonly sessionTimeout?: number;
  /** Without data on any channel, in either direction: as ChannelTimeout `global`, but ends the connection. Default 0. */
  readonly idleTimeout?: number;
  /** Without an open channel, from the login on: UnusedConnectionTimeout of sshd_config(5). Default 0. */
  readonly unusedConnectionTimeout?: number;
  /** Sessions open on one connection: MaxSessions of sshd_config(5). 0 for none. Default 10. */
  readonly maxSessions?: number;
}

export const SESSION_LIMIT_OPTIONS: readonly (keyof SessionLimitOptions)[] = [
  "sessionTimeout",
  "idleTimeout",
  "unusedConnectionTimeout",
  "maxSessions",
];

export type SessionLimitSettings = Required<SessionLimitOptions>;

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveSessionLimits(options: SessionLimitOptions): SessionLimitSettings {
  const seconds = (name: "sessionTimeout" | "idleTimeout" | "unusedConnectionTimeout") =>
    checkNumber(name, options[name] ?? 0, 0, LONGEST_TIME);
  return {
    sessionTimeout: seconds("sessionTimeout"),
    idleTimeout: seconds("idleTimeout"),
    unusedConnectionTimeout: seconds("unusedConnectionTimeout"),
    maxSessions: checkInteger("maxSessions", options.maxSessions ?? 10, 0, 65_536),
  };
}

/** The clocks of a connection on which somebody has logged in. */
export class SessionClocks {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #unused: (() => void) | undefined;
  #unusedTimer: NodeJS.Timeout | undefined;
  #active = false;
  #stopped = false;

  /** @param over gets what has taken too long, once */
  constructor(settings: SessionLimitSettings, over: (message: string) => void) {
    const { sessionTimeout, idleTimeout, unusedConnectionTimeout } = settings;
    if (sessionTimeout > 0) {
      this.#timers.add(setTimeout(() => over("the session has lasted too long"), 1000 * sessionTimeout));
    }
    if (idleTimeout > 0) this.#watchIdleness(1000 * idleTimeout, over);
    if (unusedConnectionTimeout > 0) {
      this.#unused = () => {
        this.#unusedTimer ??= setTimeout(
          () => over("no channel was open for too long"),
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
  #watchIdleness(time: number, over: (message: string) => void): void {
    const looks = 10;
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = this.#active ? 0 : quiet + 1;
      this.#active = false;
      if (quiet >= looks) over("nothing has happened for too long");
    }, time / looks);
    this.#timers.add(timer);
  }
}
