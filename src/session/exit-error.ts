/** Ends a session with a status and a line on the client's error output. To be thrown by handlers and middleware. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  /** 0 to 255. */
  readonly status: number;

  /**
   * @param text for the client; without one it sees only the status
   * @throws {RangeError} when the status is not an integer from 0 to 255
   */
  constructor(status: number, text = "", options?: ErrorOptions) {
    super(text, options);
    this.status = checkExitStatus(status);
  }
}

/** @throws {RangeError} when the status is not an integer from 0 to 255 */
export function checkExitStatus(status: number): number {
  if (Number.isInteger(status) && status >= 0 && status <= 255) return status;
  throw new RangeError(`an exit status is an integer from 0 to 255, not ${String(status)}`);
}
