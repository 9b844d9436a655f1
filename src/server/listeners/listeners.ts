import type { Socket } from "node:net";
import { type BoundAddress, leavesIPv4, type Place } from "./listen-address.js";
import { type Listener, listen } from "./listener.js";

export interface ListenersOptions {
  accepted(socket: Socket, address: BoundAddress): void;
  /** A connection could not be accepted. */
  failed(error: Error): void;
}

/** Listens on several places: on all of them, or on none. */
export class Listeners {
  readonly #listeners: readonly Listener[];

  private constructor(listeners: readonly Listener[]) {
    this.#listeners = listeners;
  }

  /**
   * Resolves once it listens on all places. Clients that connect to one of them before that are handed over then.
   *
   * @throws {ConfigurationError} naming the first place that cannot be listened on
   */
  static async open(places: readonly Place[], { accepted, failed }: ListenersOptions): Promise<Listeners> {
    const early = new Map<Socket, BoundAddress>();
    let areOpen = false;
    const accept = (socket: Socket, address: BoundAddress) => {
      if (areOpen) accepted(socket, address);
      else early.set(socket.on("error", ignore), address);
    };
    const outcomes = await Promise.allSettled(
      places.map((place) => listen(place, { ipv6Only: leavesIPv4(place, places), accepted: accept, failed })),
    );
    const listeners = new Listeners(outcomes.flatMap((outcome) => ("value" in outcome ? [outcome.value] : [])));
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) {
      await listeners.close();
      for (const socket of early.keys()) socket.destroy();
      throw failure.reason;
    }
    areOpen = true;
    for (const [socket, address] of early) accepted(socket, address);
    return listeners;
  }

  /** In the order of the places. */
  get addresses(): readonly BoundAddress[] {
    return this.#listeners.map(({ address }) => address);
  }

  /** Frees the addresses; resolves once the sockets of the file system are removed. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

/** A client that is gone before it was handed over. */
function ignore(): void {}
