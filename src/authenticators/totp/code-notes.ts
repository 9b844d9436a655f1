import type { CodeAttempt, CodeLedger, CodeVerdict } from "../../base/shared-ledgers.js";
import { GuessLimit } from "./guess-limit.js";
import { UsedCodes } from "./used-codes.js";

const REFUSED: CodeVerdict = { isAccepted: false, pause: 0 };

/** The codes that were used and the guesses, in the memory of one process. Nothing here waits. */
export class CodeNotes implements CodeLedger {
  readonly #used = new UsedCodes();
  readonly #guesses = new GuessLimit();

  attempt({ key, step, until, now }: CodeAttempt): CodeVerdict {
    if (key === undefined || this.#guesses.isPaused(key, now)) return REFUSED;
    if (step === undefined || this.#used.isUsed(key, step, until, now)) {
      return { isAccepted: false, pause: this.#guesses.failed(key, now) };
    }
    this.#guesses.succeeded(key);
    this.#used.use(key, step, until, now);
    return { isAccepted: true, pause: 0 };
  }
}
