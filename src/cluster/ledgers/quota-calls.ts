import { Semaphore } from "../../base/semaphore.js";
import { LineError } from "../calls/line-error.js";
import type { Operation } from "../calls/operation.js";
import { type CallOptions, MAX_CALLS, type ProcessLine } from "../calls/process-line.js";

/** Calls of all trees that may wait for an answer: the other half is left to those who log in. */
const MAX_WAITING = MAX_CALLS / 2;

/** Operations of one tree that hold its names or ask for them: more would only wait for one another. */
const MAX_NAMES = 8;

/** Other calls of one tree. */
const MAX_QUESTIONS = 8;

/** Calls that wait for a tree to be listed. */
const MAX_LISTINGS = 2;

/** A worker's questions about its quotas. Users who keep the primary busy with files do not keep others from logging in. */
export class QuotaCalls {
  readonly #line: ProcessLine;
  #waiting = 0;

  constructor(line: ProcessLine) {
    this.#line = line;
  }

  /** @returns rejects with a {@link LineError} */
  async call<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    options?: CallOptions<Answer>,
  ): Promise<Answer> {
    if (this.#waiting >= MAX_WAITING) throw new LineError("busy", "too many calls of quotas wait for an answer");
    this.#waiting++;
    try {
      return await this.#line.call(operation, request, options);
    } finally {
      this.#waiting--;
    }
  }
}

/** The turns of one tree: what more its users ask at the same time waits in the worker. */
export class TreeTurns {
  /** Holding one of these turns, a question takes none of the turns below. */
  readonly names = new Semaphore(MAX_NAMES);
  readonly questions = new Semaphore(MAX_QUESTIONS);
  readonly listings = new Semaphore(MAX_LISTINGS);
}
