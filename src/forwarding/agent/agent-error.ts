/**
 * The reason why an agent was of no use:
 * - `refused`: there was no connection to it: the client has refused the channel, or there are too many of them;
 * - `failed`: it says that it cannot do this: it does not have the key, it is locked, or a person has said no;
 * - `malformed`: the answer is too long, is not one, or holds a signature that is not the one asked for;
 * - `closed`: the connection to it, or the session, has ended before the answer;
 * - `timeout`: it has not answered in time;
 * - `unsupported`: the key does not sign with this algorithm, or this library does not handle the key;
 * - `socket`: the socket for programs could not be made.
 */
export type AgentErrorCode = "refused" | "failed" | "malformed" | "closed" | "timeout" | "unsupported" | "socket";

/** An agent could not be asked, or its answer is of no use. The message is one line, with what the client says escaped. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  /** The kind of the failure, for programs. */
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
