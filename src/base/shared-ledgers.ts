import type { MaybePromise } from "./maybe-promise.js";
import type { QuotaLedger } from "./quota-ledger.js";

// What several processes of one server keep in common. Each operation is one that a store does as a whole, so that no
// other can come in between. Those that can wait may reject: then what depends on them is refused. Times are of the wall
// clock, which processes and machines share.

/** One code that was given by somebody who logs in. */
export interface CodeAttempt {
  /** Of the user with their secret. `undefined` for a user without one: that is refused, in the same time, and not noted. */
  readonly key: string | undefined;
  /** The time step whose code it is; `undefined` for a wrong one. */
  readonly step: number | undefined;
  /** The end of the time in which the code is accepted, seconds since 1970. */
  readonly until: number;
  /** Seconds since 1970. */
  readonly now: number;
}

export interface CodeVerdict {
  readonly isAccepted: boolean;
  /** Seconds that all codes of the user are refused now, because of this one. */
  readonly pause: number;
}

/** The codes that were used, and the guesses. */
export interface CodeLedger {
  /** Uses a code, unless it was used or the user's codes are refused for a time; notes a wrong one. */
  attempt(attempt: CodeAttempt): MaybePromise<CodeVerdict>;
}

/** The part of an asking connection that is looked at. */
export interface TurnOrigin {
  readonly remoteAddress: string | undefined;
  /** Fires when nobody waits for the turn any more. */
  readonly signal: AbortSignal;
}

export interface Turn {
  /** Gives the turn to the next. To be called once. */
  end(): void;
}

/** A queue of work that keeps processors busy. */
export interface TurnLedger {
  /** @returns `undefined` where the work is not to be done: too many wait, or the client is gone */
  take(origin: TurnOrigin): MaybePromise<Turn | undefined>;
}

/** Texts that have to be the same in all processes: secrets that are made when the server starts, for example. */
export interface AgreedTexts {
  /**
   * Sets a text, unless it is set already.
   *
   * @param proposal `undefined` only to ask
   * @returns the text that is set: the first proposal of any process
   */
  agree(name: string, proposal: string): MaybePromise<string>;
  agree(name: string, proposal: string | undefined): MaybePromise<string | undefined>;
}

export interface SharedLedgers {
  readonly codes: CodeLedger;
  /** Of the checks of passwords. */
  readonly passwordChecks: TurnLedger;
  readonly texts: AgreedTexts;
  readonly quotas: QuotaLedger;
}

let shared: SharedLedgers | undefined;

/** The ledgers of all processes; `undefined` where this process is the only one, and keeps its own. */
export function sharedLedgers(): SharedLedgers | undefined {
  return shared;
}

/** Makes this process one of several. */
export function shareLedgers(ledgers: SharedLedgers | undefined): void {
  shared = ledgers;
}
