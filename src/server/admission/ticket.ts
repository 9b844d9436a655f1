/** The connections that come from one source. */
export interface Source {
  /** `undefined` for one that nobody knows, with a single connection. */
  readonly name: string | undefined;
  /** Connections on which nobody has logged in. */
  startups: number;
  /** Connections, logged in or not. */
  connections: number;
}

/** The counter that a ticket belongs to. */
export interface TicketCounter {
  /** More than a quarter of what a limit allows is taken. */
  isScarce(source: Source): boolean;
  startupOver(): void;
  /** Whether the user may have one connection more, which is then counted. */
  enterUser(username: string): boolean;
  userLeft(username: string): void;
  connectionOver(): void;
  /** Nothing comes from the source any more. */
  sourceGone(source: Source): void;
}

/** A connection's place among those that are counted, from accept to its end. */
export class Ticket {
  /** With it, more than a quarter of what a limit allows is taken. */
  readonly isScarce: boolean;
  readonly #source: Source;
  readonly #counter: TicketCounter;
  #state: "startup" | "loggedIn" | "released" = "startup";
  #username: string | undefined;

  constructor(source: Source, counter: TicketCounter) {
    this.#source = source;
    this.#counter = counter;
    source.startups++;
    source.connections++;
    this.isScarce = counter.isScarce(source);
  }

  /** Somebody has logged in. Returns whether this user may have one connection more. */
  logIn(username: string): boolean {
    if (this.#state !== "startup" || !this.#counter.enterUser(username)) return false;
    this.#username = username;
    this.#startupOver();
    this.#state = "loggedIn";
    return true;
  }

  /** The connection is gone. May be called again. */
  release(): void {
    if (this.#state === "released") return;
    if (this.#state === "startup") this.#startupOver();
    this.#state = "released";
    if (this.#username !== undefined) this.#counter.userLeft(this.#username);
    this.#counter.connectionOver();
    if (--this.#source.connections === 0) this.#counter.sourceGone(this.#source);
  }

  #startupOver(): void {
    this.#source.startups--;
    this.#counter.startupOver();
  }
}
