import type { Places } from "./places.js";

/** Something is not listened on; the message is one of few, for whoever counts. */
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
  readonly #signal: AbortSignal;
  readonly #entries = new Set<Entry<Open>>();

  constructor(places: Places, signal: AbortSignal) {
    this.#places = places;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#closeAll(), { once: true });
  }

  /**
   * @param name of the listener, if it is known before
   * @throws {ListenRefusal} when there is such a listener or no place, and when it was closed before it listened
   */
  async open(name: string | undefined, listen: () => Promise<Open>): Promise<Open> {
    if (this.#signal.aborted) throw new ListenRefusal("the connection has ended");
    if (name !== undefined && this.#find(name) !== undefined) throw new ListenRefusal("it is listened on already");
    const release = this.#places.take();
    if (release === undefined) throw new ListenRefusal("there are too many listeners");
    const entry: Entry<Open> = { name, listener: undefined, release };
    this.#entries.add(entry);
    try {
      const listener = await listen();
      if (!this.#entries.has(entry)) {
        await listener.close();
        throw new ListenRefusal("it was cancelled before it was listened on");
      }
      entry.name = listener.name;
      entry.listener = listener;
      return listener;
    } catch (error) {
      this.#entries.delete(entry);
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

  #find(name: string): Entry<Open> | undefined {
    return [...this.#entries].find((entry) => entry.name === name);
  }

  #closeAll(): void {
    for (const entry of this.#entries) void this.#close(entry);
  }

  /** One that is still being opened is closed by whoever opens it. */
  async #close(entry: Entry<Open>): Promise<void> {
    this.#entries.delete(entry);
    if (entry.listener === undefined) return;
    await entry.listener.close();
    entry.release();
  }
}
