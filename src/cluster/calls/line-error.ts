/**
 * - `gone`: the channel is closed, or was ended
 * - `late`: there was no answer by the deadline
 * - `busy`: too many calls wait for an answer already
 * - `failed`: the other process could not do what it was asked
 * - `malformed`: its answer is not what it should be
 */
export type LineFailure = "gone" | "late" | "busy" | "failed" | "malformed";

/** A call to another process has no answer: what depends on it is to be refused. */
export class LineError extends Error {
  override readonly name = "LineError";
  /** The kind of the failure, for programs. */
  readonly failure: LineFailure;

  constructor(failure: LineFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
