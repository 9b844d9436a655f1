import type { Ticket } from "./admission/ticket.js";
import { hooksSettled, type ServerConnection } from "./server-connection.js";

/** The state of a connection in the register. */
type State =
  /** Served. */
  | "open"
  /** Told that it is refused. */
  | "turned away"
  /** Closed, while an authentication hook still works for it: it keeps its place, so that no other takes it at once. */
  | "settling";

/** A connection, and the facts that a manager knows about it. */
interface Entry {
  readonly connection: ServerConnection;
  /** Its place among those that are counted; one that is turned away has none. */
  readonly ticket: Ticket | undefined;
  state: State;
  /** The event `connection` was about it, so `disconnected` will be. */
  announced: boolean;
}

/** The connections of a manager, from accept until nothing of them is left. */
export class ConnectionRegister {
  readonly #entries = new Map<number, Entry>();
  readonly #counts: Record<State, number> = { open: 0, "turned away": 0, settling: 0 };

  /** Connections that are served. */
  get openCount(): number {
    return this.#counts.open;
  }

  /** Connections that are being told that they are refused. */
  get turnedAwayCount(): number {
    return this.#counts["turned away"];
  }

  /** Connections whose streams are open. */
  get streamCount(): number {
    return this.#counts.open + this.#counts["turned away"];
  }

  /** Places that are taken: by what is served, and by hooks that still work for a client that is gone. */
  get takenPlaces(): number {
    return this.#counts.open + this.#counts.settling;
  }

  open(): readonly ServerConnection[] {
    return [...this.#entries.values()].filter(({ state }) => state === "open").map(({ connection }) => connection);
  }

  find(id: number): ServerConnection | undefined {
    const entry = this.#entries.get(id);
    return entry?.state === "open" ? entry.connection : undefined;
  }

  /** @param ticket released when nothing is left of the connection; without one it is turned away */
  add(connection: ServerConnection, ticket?: Ticket): void {
    const state = ticket === undefined ? "turned away" : "open";
    this.#entries.set(connection.id, { connection, ticket, state, announced: false });
    this.#counts[state]++;
  }

  /** A connection that could not be served. */
  remove({ id }: ServerConnection): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#counts[entry.state]--;
    entry.ticket?.release();
  }

  ticketOf({ id }: ServerConnection): Ticket | undefined {
    const entry = this.#entries.get(id);
    return entry?.state === "open" ? entry.ticket : undefined;
  }

  /** Listeners are about to hear of a connection. Returns whether it is still there. */
  announce({ id }: ServerConnection): boolean {
    const entry = this.#entries.get(id);
    if (entry?.state !== "open") return false;
    entry.announced = true;
    return true;
  }

  /**
   * The stream of a connection is closed.
   *
   * @param patience milliseconds that a hook may go on to work for it before its place is free all the same
   * @returns whether it was announced
   */
  closed(connection: ServerConnection, patience: number): boolean {
    const entry = this.#entries.get(connection.id);
    if (entry === undefined || entry.state === "settling") return false;
    if (entry.state === "open") this.#settle(entry, patience);
    else this.remove(connection);
    return entry.announced;
  }

  #settle(entry: Entry, patience: number): void {
    this.#counts.open--;
    this.#counts.settling++;
    entry.state = "settling";
    const settled = () => {
      clearTimeout(timer);
      this.remove(entry.connection);
    };
    const timer = setTimeout(settled, patience).unref();
    hooksSettled(entry.connection).then(settled, settled);
  }
}
