import type { ProgramRunner } from "./program-runner.js";
import type { SessionChannel } from "./session-channel.js";
import type { SessionEndReason } from "./session-ended-error.js";

/** The server of a session, as the session needs it. */
export interface SessionHost {
  readonly run: ProgramRunner;
  /** Why the channel's connection has ended; `undefined` while it is there. */
  endReason(channel: SessionChannel): SessionEndReason | undefined;
  log(level: "debug" | "info" | "warn" | "error", message: string, fields?: object): void;
  /** Writes a line that the program has asked for, at info level. */
  tell(message: string, fields: object): void;
  /** Something that belongs to the session has thrown. */
  failed(what: string, error: unknown): void;
}
