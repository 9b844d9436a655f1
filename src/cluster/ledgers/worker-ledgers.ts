import type { AgreedTexts, SharedLedgers, Turn, TurnOrigin } from "../../base/shared-ledgers.js";
import type { ProcessLine } from "../calls/process-line.js";
import { AGREE_TEXT, ATTEMPT_CODE, END_TURN, TAKE_TURN } from "./operations.js";
import { WorkerAccounts } from "./worker-accounts.js";

/** Seconds that a check of a password may wait for its turn: more than a full queue takes. */
const LONGEST_TURN_WAIT = 60;

/**
 * The ledgers of a worker, which are those of the primary. `shareLedgers(workerLedgers(line))` before the program begins.
 * Their operations reject with a `LineError` where the primary does not answer.
 */
export function workerLedgers(line: ProcessLine): SharedLedgers {
  return {
    codes: { attempt: (attempt) => line.call(ATTEMPT_CODE, attempt) },
    passwordChecks: { take: (origin) => takeTurn(line, origin) },
    texts: { agree: (name, proposal) => line.call(AGREE_TEXT, { name, proposal }) } as AgreedTexts,
    quotas: new WorkerAccounts(line),
  };
}

async function takeTurn(line: ProcessLine, { remoteAddress, signal }: TurnOrigin): Promise<Turn | undefined> {
  const turn: Turn = { end: () => void line.notify(END_TURN, undefined) };
  const late = (isGiven: boolean) => {
    if (isGiven) turn.end();
  };
  try {
    const isGiven = await line.call(TAKE_TURN, { remoteAddress }, { signal, seconds: LONGEST_TURN_WAIT, late });
    return isGiven ? turn : undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
