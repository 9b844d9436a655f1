import type { PenaltyCause, PenaltyTimes } from "./penalties.js";

/** The cause for which one client is penalised if it ends without a login: only the gravest of all. */
export class Misbehaviour {
  readonly #times: PenaltyTimes | undefined;
  readonly #penalise: (cause: PenaltyCause) => void;
  #cause: PenaltyCause = "noAuth";
  #settled = false;

  /** @param times by which causes are compared; without them there are no penalties */
  constructor(times: PenaltyTimes | undefined, penalise: (cause: PenaltyCause) => void) {
    this.#times = times;
    this.#penalise = penalise;
  }

  /** The cause with the longest penalty stays: neither another name nor waiting makes up for it. */
  note(cause: PenaltyCause): void {
    if (this.#times === undefined) return;
    if (this.#cause === "noAuth" || this.#times[cause] > this.#times[this.#cause]) this.#cause = cause;
  }

  /** The user has logged in: nothing counts against the client, neither what came before nor what follows. */
  forgive(): void {
    this.#settled = true;
  }

  /** The client has left, or broken the protocol. */
  clientEnded(): void {
    this.penalise(this.#cause);
  }

  /** The server has ended the connection of its own accord, and holds against the client only what went before. */
  serverEnded(): void {
    if (this.#cause !== "noAuth") this.penalise(this.#cause);
  }

  /** For something that says it all. */
  penalise(cause: PenaltyCause): void {
    if (this.#settled) return;
    // Set first: a listener that hears of the penalty may end the connection once more.
    this.#settled = true;
    this.#penalise(cause);
  }
}
