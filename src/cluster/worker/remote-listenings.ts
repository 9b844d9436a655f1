import { Socket } from "node:net";
import { takeOverForDirectReads } from "../../endpoint/direct-reads.js";
import type { AdmissionDesk } from "../../server/admission/admission-desk.js";
import type { Listening, ListeningOptions, ListeningServer } from "../../server/listening.js";
import type { ProcessLine } from "../calls/process-line.js";
import { GONE, type HandedConnection, LISTEN, TAKEN, UNLISTEN } from "../messages.js";
import { errorOf } from "../problem.js";
import { RemotePlace } from "./remote-place.js";

interface Served {
  readonly desk: AdmissionDesk;
  readonly key: string;
}

/** The places that the primary listens on for this worker, and the connections that come from there. */
export class RemoteListenings {
  readonly #line: ProcessLine;
  readonly #servers = new Map<ListeningServer, Served>();
  readonly #byKey = new Map<string, Served>();
  /** How often each place was asked for: several servers may want a free port. */
  readonly #asked = new Map<string, number>();
  #connections = 0;

  constructor(line: ProcessLine) {
    this.#line = line;
  }

  /** Servers that have listened. */
  get servers(): readonly ListeningServer[] {
    return [...this.#servers.keys()];
  }

  /** Connections from the primary of which something is left. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * Has the primary listen.
   *
   * @throws {ConfigurationError} as the primary has met it
   */
  async open({ address, port, desk, server }: ListeningOptions): Promise<Listening> {
    const place = this.#keyOf(address, port);
    const served = this.#servers.get(server) ?? { desk, key: place };
    this.#servers.set(server, served);
    this.#byKey.set(served.key, served);
    const { admission, maxConnections } = desk.settings;
    const wish = { desk: served.key, place, address, port, maxConnections, admission: admission.given };
    const { problem, ...bound } = await this.#line.call(LISTEN, wish, { seconds: 30 });
    if (problem !== undefined) throw errorOf(problem);
    return { ...bound, close: () => void this.#line.notify(UNLISTEN, { desk: served.key }) };
  }

  /** A connection has come from the primary. */
  take({ id, desk: key, info, head, refusal }: HandedConnection, handle: unknown): void {
    this.#line.notify(TAKEN, id);
    const served = this.#byKey.get(key);
    // One that was reset on the way may come without its socket.
    if (!(handle instanceof Socket) || served === undefined) {
      if (handle instanceof Socket) handle.destroy();
      this.#line.notify(GONE, id);
      return;
    }
    // Before anything is read.
    const socket = takeOverForDirectReads(handle);
    if (head !== undefined) socket.unshift(head);
    this.#connections++;
    const { desk } = served;
    const place = new RemotePlace(this.#line, id, desk.settings.admission, () => this.#connections--);
    if (refusal === undefined) desk.takeAdmitted(socket, info, place, id);
    else desk.takeRefused(socket, info, refusal, place, id);
  }

  #keyOf(address: string, port: number): string {
    const place = `${address}:${port}`;
    const times = this.#asked.get(place) ?? 0;
    this.#asked.set(place, times + 1);
    return times === 0 ? place : `${place}#${times}`;
  }
}
