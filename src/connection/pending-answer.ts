import { setMaxListeners } from "node:events";
import { AnswerTimeoutError } from "./answer-timeout-error.js";

export interface AnswerLimit {
  readonly milliseconds: number;
  /** The error when the time is over. */
  readonly overdue: () => Error;
}

/** The time that the peer has for an answer. It may ask a person first. */
export const PEER_LIMIT: AnswerLimit = {
  milliseconds: 120_000,
  overdue: () => new AnswerTimeoutError(PEER_LIMIT.milliseconds / 1000),
};

/** An answer that somebody owes, for the program that waits for it. */
export class PendingAnswer<Answer> {
  readonly promise: Promise<Answer>;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: NodeJS.Timeout | undefined;
  #settle: { readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void } | undefined;

  /**
   * @param signal ends the waiting, not what was asked
   * @param limit ends it, too
   */
  constructor(signal: AbortSignal | undefined, limit?: AnswerLimit) {
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#deadline = limit && setTimeout(() => this.reject(limit.overdue()), limit.milliseconds);
    if (signal === undefined) return;
    // One signal may end many waits. Each takes its listener back, so Node.js does not warn of a leak.
    setMaxListeners(0, signal);
    signal.addEventListener("abort", this.#abort);
  }

  /** Whether the program waits no longer: it has its answer, or has given up. */
  get settled(): boolean {
    return this.#settle === undefined;
  }

  resolve(answer: Answer): void {
    this.#end()?.resolve(answer);
  }

  reject(error: unknown): void {
    this.#end()?.reject(error);
  }

  readonly #abort = (): void => this.reject(this.#signal?.reason);

  #end() {
    const settle = this.#settle;
    this.#settle = undefined;
    clearTimeout(this.#deadline);
    this.#signal?.removeEventListener("abort", this.#abort);
    return settle;
  }
}

/** A program that does not wait for an answer must not be ended by a peer that refuses, or that leaves. */
export function mayBeIgnored<Answer>(answer: Promise<Answer>): Promise<Answer> {
  answer.catch(() => {});
  return answer;
}
