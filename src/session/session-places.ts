import type { ChannelAuthority } from "../connection/channel-authority.js";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_SUCCEEDED,
} from "../protocol/constants.js";
import type { AnyChannel } from "./connection.js";
import { SessionChannel } from "./session-channel.js";

/** The client wants no further sessions on this connection (OpenSSH PROTOCOL §2.2). */
const NO_MORE_SESSIONS = "no-more-sessions@openssh.com";

/** The sessions that one connection may have, those included that are being decided on. */
export class SessionPlaces {
  readonly #maxSessions: number;
  readonly #refused: (reason: string) => void;
  #taken = 0;
  #closed = false;

  /** @param refused learns of each session for which there is no place; the reason is one of few */
  constructor(maxSessions: number, refused: (reason: string) => void) {
    this.#maxSessions = maxSessions;
    this.#refused = refused;
  }

  /** Refuses a session for which there is no place before the hook is asked. */
  guard(authority: ChannelAuthority<AnyChannel>): ChannelAuthority<AnyChannel> {
    return {
      ...authority,
      decideOpen: (kind, channelId, fields) => {
        const decide = () => authority.decideOpen(kind, channelId, fields);
        return kind === "session" ? this.#decide(decide) : decide();
      },
      channelClosed: (channel) => {
        if (channel instanceof SessionChannel) this.#taken--;
        authority.channelClosed(channel);
      },
      globalRequestReceived: (kind) => {
        if (kind === NO_MORE_SESSIONS) this.#closed = true;
        authority.globalRequestReceived(kind);
      },
    };
  }

  #decide(decide: () => unknown): unknown {
    if (this.#closed) {
      return this.#refuse(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "the client wanted no more sessions");
    }
    if (this.#maxSessions === 0) return this.#refuse(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "maxSessions is 0");
    if (this.#taken >= this.#maxSessions) return this.#refuse(OPEN_FAILED_RESOURCE_SHORTAGE, "too many sessions");
    this.#taken++;
    let decision: unknown;
    try {
      decision = decide();
    } catch (error) {
      return this.#failed(error);
    }
    if (typeof decision !== "object" || decision === null) return this.#decided(decision);
    return Promise.resolve(decision).then(
      (answer) => this.#decided(answer),
      (error) => this.#failed(error),
    );
  }

  #refuse(answer: number, reason: string): number {
    this.#refused(reason);
    return answer;
  }

  #decided(decision: unknown): unknown {
    if (decision !== OPEN_SUCCEEDED) this.#taken--;
    return decision;
  }

  #failed(error: unknown): never {
    this.#taken--;
    throw error;
  }
}
