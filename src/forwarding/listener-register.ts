import type { Connection } from "../session/connection.js";
import type { Places } from "./places.js";

/** Something is not listened on. The message is one of few texts, so that refusals can be counted by it. */
export class ListenRefusal extends Error {
  override readonly name = "ListenRefusal";
}

/** The refusal for whatever has kept the server from listening. */
export function listenRefusal(error: unknown): ListenRefusal {
  return error instanceof ListenRefusal ? error : new ListenRefusal("the system refuses it", { cause: error });
}

export interface Listener {
  /** The name that it is cancelled by. */
  readonly name: string;
  /** Accepts no more connections; those that were accepted go on. Never rejects. */
  close(): Promise<void>;
}

interface Entry<Open> {
  /** Not known before the system has chosen a port. */
  name: string | undefined;
  /** `undefined` while it is being opened. */
  listener: Open | undefined;
  release(): void;
}

/** The listeners of one client: by their names, and gone with its connection. */
export class ListenerRegister<Open extends Listener> {
  readonly #places: Places;
  readonly #client: Pick<Connection, "signal">;
  /** `undefined` until there is one: most clients have none. */
  #entries: Set<Entry<Open>> | undefined;

  constructor(places: Places, client: Pick<Connection, "signal">) {
    this.#places = places;
    this.#client = client;
  }

  /**
   * @param name of the listener, if it is known before
   * @throws {ListenRefusal} when there is such a listener or no place, and when it was closed before it listened
   */
  async open(name: string | undefined, listen: () => Promise<Open>): Promise<Open> {
    const { signal } = this.#client;
    if (signal.aborted) throw new ListenRefusal("the connection has ended");
    if (name !== undefined && this.#find(name) !== undefined) throw new ListenRefusal("it is listened on already");
    const release = this.#places.take();
    if (release === undefined) throw new ListenRefusal("there are too many listeners");
    const entry: Entry<Open> = { name, listener: undefined, release };
    const entries = this.#entries ?? this.#begin(signal);
    entries.add(entry);
    try {
      const listener = await listen();
      if (!entries.has(entry)) {
        await listener.close();
        throw new ListenRefusal("it was cancelled before it was listened on");
      }
      entry.name = listener.name;
      entry.listener = listener;
      return listener;
    } catch (error) {
      entries.delete(entry);
      release();
      throw error;
    }
  }

  /** @returns whether there was such a listener, once nothing of it is left */
  async close(name: string): Promise<boolean> {
    const entry = this.#find(name);
    if (entry === undefined) return false;
    await this.#close(entry);
    return true;
  }

  #begin(signal: AbortSignal): Set<Entry<Open>> {
    const entries = new Set<Entry<Open>>();
    this.#entries = entries;
    const closeAll = () => {
      for (const entry of entries) void this.#close(entry);
    };
    signal.addEventListener("abort", closeAll, { once: true });
    return entries;
  }

  #find(name: string): Entry<Open> | undefined {
    return [...(this.#entries ?? [])].find((entry) => entry.name === name);
  }

  /** A listener that is still being opened is closed by the code that opens it. */
  async #close(entry: Entry<Open>): Promise<void> {
    this.#entries?.delete(entry);
    if (entry.listener === undefined) return;
    await entry.listener.close();
    entry.release();
  }
}
