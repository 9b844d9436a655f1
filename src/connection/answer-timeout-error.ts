/** The peer owed an answer, and has not given it in time. */
export class AnswerTimeoutError extends Error {
  override readonly name = "AnswerTimeoutError";
  /** Seconds that it had. */
  readonly seconds: number;

  constructor(seconds: number) {
    super(`the peer has not answered within ${seconds} s`);
    this.seconds = seconds;
  }
}
