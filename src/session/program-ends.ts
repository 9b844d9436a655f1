import { CommandLineError } from "../base/command-line.js";
import { ExitError } from "./exit-error.js";
import type { ProgramEnd } from "./program-end.js";
import { WatchedPromise } from "./watched-promise.js";

/** A program that has failed: how it has ended, or why it has not begun. */
export type ProgramFailure = { readonly end: ProgramEnd } | { readonly error: unknown };

/** Failures that are kept: more of them would not be read. */
const MAX_FAILURES = 16;

/** How the programs of a session have ended, as far as nobody has asked. */
export class ProgramEnds {
  readonly #failures: { readonly watched: WatchedPromise<ProgramEnd>; readonly failure: ProgramFailure }[] = [];

  /**
   * @param signal that the program was given: its starter has ended it by that
   * @returns the promise for the program's starter
   */
  add(end: Promise<ProgramEnd>, signal: () => AbortSignal | undefined): Promise<ProgramEnd> {
    const watched = WatchedPromise.of(end);
    const failed = (failure: ProgramFailure) => {
      if (watched.isWatched || signal()?.aborted === true || this.#failures.length === MAX_FAILURES) return;
      this.#failures.push({ watched, failure });
    };
    end.then(
      (known) => {
        if (!("status" in known) || known.status !== 0) failed({ end: known });
      },
      (error: unknown) => {
        const isEnd = error instanceof ExitError || error instanceof CommandLineError;
        failed(isEnd ? { end: { status: error.status } } : { error });
      },
    );
    return watched;
  }

  /** The failures whose promise nobody has asked, in order. */
  get lost(): readonly ProgramFailure[] {
    return this.#failures.flatMap(({ watched, failure }) => (watched.isWatched ? [] : failure));
  }
}
