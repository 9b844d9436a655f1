import type { ConnectionPlace, RefusedPlace } from "./admission/connection-place.js";
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
  /** Absent for one that is turned away. */
  readonly place: ConnectionPlace | undefined;
  readonly release: () => void;
  state: State;
  /** The event `connection` was about it, so `disconnected` will be. */
  announced: boolean;
}

/** The connections of a manager, from accept until nothing of them is left. */
export class ConnectionRegister {
  readonly #entries = new Map<number, Entry>();
  readonly #counts: Record<State, number> = { open: 0, "turned away": 0, settling: 0 };
  /** Each waits until no stream is open. */
  #waiting: (() => void)[] = [];

  /** Connections that are served. */
  get openCount(): number {
    return this.#counts.open;
  }

  /** Connections whose streams are open. */
  get streamCount(): number {
    return this.#counts.open + this.#counts["turned away"];
  }

  /** Resolves when no stream is open. */
  emptied(): Promise<void> {
    return this.streamCount === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  open(): readonly ServerConnection[] {
    return [...this.#entries.values()].filter(({ state }) => state === "open").map(({ connection }) => connection);
  }

  find(id: number): ServerConnection | undefined {
    const entry = this.#entries.get(id);
    return entry?.state === "open" ? entry.connection : undefined;
  }

  /** @param place released when nothing is left of the connection */
  add(connection: ServerConnection, place: ConnectionPlace): void {
    this.#add(connection, "open", place, place);
  }

  /** A connection that is only told that it is refused. */
  addTurnedAway(connection: ServerConnection, place: RefusedPlace | undefined): void {
    this.#add(connection, "turned away", undefined, place);
  }

  /** A connection that could not be served. */
  remove({ id }: ServerConnection): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#counts[entry.state]--;
    this.#tellIfEmpty();
    entry.release();
  }

  placeOf({ id }: ServerConnection): ConnectionPlace | undefined {
    const entry = this.#entries.get(id);
    return entry?.state === "open" ? entry.place : undefined;
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

  #add(
    connection: ServerConnection,
    state: "open" | "turned away",
    place: ConnectionPlace | undefined,
    releasable: RefusedPlace | undefined,
  ): void {
    const release = () => releasable?.release();
    this.#entries.set(connection.id, { connection, place, release, state, announced: false });
    this.#counts[state]++;
  }

  #settle(entry: Entry, patience: number): void {
    this.#counts.open--;
    this.#counts.settling++;
    entry.state = "settling";
    this.#tellIfEmpty();
    const hooks = hooksSettled(entry.connection);
    if (hooks === undefined) {
      this.remove(entry.connection);
      return;
    }
    const settled = () => {
      clearTimeout(timer);
      this.remove(entry.connection);
    };
    const timer = setTimeout(settled, patience).unref();
    hooks.then(settled, settled);
  }

  #tellIfEmpty(): void {
    if (this.streamCount > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
