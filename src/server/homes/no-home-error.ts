/** A user has no home. The message is for the log. */
export class NoHomeError extends Error {
  override readonly name = "NoHomeError";
}
