import { availableParallelism } from "node:os";
import { CheckQueue } from "../../authenticators/passwords/check-queue.js";
import { CHECKS_PER_PROCESS, WAITING_CHECKS } from "../../authenticators/passwords/password-file.js";
import { CodeNotes } from "../../authenticators/totp/code-notes.js";
import type { Turn } from "../../base/shared-ledgers.js";
import type { ProcessLine } from "../calls/process-line.js";
import { AGREE_TEXT, ATTEMPT_CODE, END_TURN, TAKE_TURN } from "./operations.js";
import { PrimaryAccounts } from "./primary-accounts.js";
import { TextRegister } from "./text-register.js";

/**
 * The ledgers of all workers, in the memory of the primary: one object, which outlives the workers. What a worker holds
 * comes back when its line is over.
 */
export class PrimaryLedgers {
  readonly #codes = new CodeNotes();
  readonly #texts = new TextRegister();
  readonly #accounts = new PrimaryAccounts();
  readonly #passwordChecks = new CheckQueue({
    running: Math.max(CHECKS_PER_PROCESS, availableParallelism()),
    runningPerProcess: CHECKS_PER_PROCESS,
    waiting: WAITING_CHECKS,
  });

  /** Answers a worker. To be called at once when its line is made. */
  serve(line: ProcessLine): void {
    line.answer(ATTEMPT_CODE, (attempt) => this.#codes.attempt(attempt));
    line.answer(AGREE_TEXT, ({ name, proposal }) => this.#texts.agree(name, proposal));
    this.#giveTurns(line);
    this.#accounts.serve(line);
  }

  #giveTurns(line: ProcessLine): void {
    const worker = { running: 0 };
    const turns: Turn[] = [];
    line.answer(TAKE_TURN, async ({ remoteAddress }, { signal }) => {
      const turn = await this.#passwordChecks.take({ remoteAddress, signal }, worker);
      if (turn === undefined) return false;
      if (signal.aborted) {
        turn.end();
        return false;
      }
      turns.push(turn);
      return true;
    });
    line.hear(END_TURN, () => turns.pop()?.end());
    line.signal.addEventListener("abort", () => {
      for (const turn of turns.splice(0)) turn.end();
    });
  }
}
