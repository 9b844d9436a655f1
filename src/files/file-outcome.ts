/**
 * Why a file was closed before its client had done with it:
 *
 * - `client gone`: the client has left, or its connection was lost.
 * - `session ended`: this side has ended the session, because of a time limit or of what the client sent.
 * - `server stopped`: the server is being stopped.
 * - `error`: something was not read or not written, whatever the client did then.
 */
export type AbortReason = "client gone" | "session ended" | "server stopped" | "error";

/** The use of an open file has ended well. */
export interface CompletedOutcome {
  /** Tells the two outcomes apart. */
  readonly result: "completed";
}

/** The use of an open file has not ended well: the client has not closed it, or something has failed. */
export interface AbortedOutcome {
  /** Tells the two outcomes apart. */
  readonly result: "aborted";
  /** What has kept the file from its end. */
  readonly reason: AbortReason;
  /** The error behind the reason, where there is one. It may tell more than the client was told. */
  readonly error?: unknown;
}

/**
 * How the use of an open file has ended. It is completed only if the client itself has closed the file (with `scp -O`, if all
 * bytes that it had announced came), and nothing failed that was read or written.
 */
export type FileOutcome = CompletedOutcome | AbortedOutcome;

/** The outcome of a file whose use has ended well. */
export const COMPLETED: CompletedOutcome = { result: "completed" };

/** The outcome of a file whose use has failed. */
export function abortedBy(error: unknown): AbortedOutcome {
  return { result: "aborted", reason: "error", error };
}
