/**
 * - `client closed`: the client has closed the channel, or has said goodbye.
 * - `connection lost`: the connection is gone without a goodbye.
 * - `idle`: nothing has happened for too long (`idleTimeout`).
 * - `timeout`: the connection has lasted too long (`sessionTimeout`).
 * - `disconnected`: the program has ended the connection, by `connection.disconnect()` or `closeConnection()`.
 * - `shutdown`: the server is being stopped. The client is still there for as long as the grace lasts.
 * - `exit`: the session has ended itself: its handler has returned, or `session.exit()` was called.
 */
export type SessionEndReason =
  | "client closed"
  | "connection lost"
  | "idle"
  | "timeout"
  | "disconnected"
  | "shutdown"
  | "exit";

/** The reason of a session's `signal`, and the error of its streams when the client is gone. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
  /** What has ended the session. */
  readonly reason: SessionEndReason;

  constructor(reason: SessionEndReason) {
    super(`the session has ended: ${reason}`);
    this.reason = reason;
  }
}
