import { Socket } from "node:net";
import type { AdmissionDesk } from "../../server/admission/admission-desk.js";
import type { Place } from "../../server/listeners/listen-address.js";
import type { Listening, ListeningOptions, ListeningServer } from "../../server/listeners/listening.js";
import { type HandedConnection, LISTEN, UNLISTEN } from "../messages.js";
import { nameOf } from "../place-checks.js";
import { errorOf } from "../problem.js";
import { sharedNow } from "../shared-clock.js";
import { type PrimaryLine, RemotePlace } from "./remote-place.js";

/** Seconds. */
const LISTEN_TIME = 30;

interface Served {
  readonly desk: AdmissionDesk;
  readonly key: string;
}

/** The places that the primary listens on for this worker, and the connections that come from there. */
export class RemoteListenings {
  readonly #primary: PrimaryLine;
  readonly #servers = new Map<ListeningServer, Served>();
  readonly #byKey = new Map<string, Served>();
  /** Who has asked for each place: several servers may want a free port, and one may want it again. */
  readonly #asked = new Map<string, ListeningServer[]>();
  #listening = 0;
  #connections = 0;

  constructor(primary: PrimaryLine) {
    this.#primary = primary;
  }

  /** Servers that have listened. */
  get servers(): readonly ListeningServer[] {
    return [...this.#servers.keys()];
  }

  /** A server listens. */
  get isListening(): boolean {
    return this.#listening > 0;
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
  async open({ places, desk, server }: ListeningOptions): Promise<Listening> {
    const named = places.map((place, index) => {
      const earlier = places.slice(0, index).filter((other) => nameOf(other) === nameOf(place)).length;
      return { place, name: this.#nameFor(server, place, earlier) };
    });
    const served = this.#servers.get(server) ?? { desk, key: named[0]?.name ?? "" };
    this.#servers.set(server, served);
    this.#byKey.set(served.key, served);
    const { admission, maxConnections } = desk.settings;
    const wish = { desk: served.key, places: named, maxConnections, admission: admission.given };
    const { problem, addresses } = await this.#primary.line.call(LISTEN, wish, { seconds: LISTEN_TIME });
    if (problem !== undefined) throw errorOf(problem);
    this.#listening++;
    const close = async () => {
      this.#listening--;
      this.#primary.line.notify(UNLISTEN, { desk: served.key });
    };
    return { addresses, close };
  }

  /** A connection has come from the primary. */
  take(connection: HandedConnection, handle: unknown): void {
    const { id, desk: key, info, head, refusal, until, isUrgent } = connection;
    const { reports } = this.#primary;
    const served = this.#byKey.get(key);
    // One that comes too late may be another worker's by now: the primary knows.
    const isLate = sharedNow() >= until;
    if (!isLate) reports.taken(id, isUrgent);
    // Node.js is about to tell the primary that the socket has come.
    reports.primaryIsAwake();
    // One that was reset on the way may come without its socket.
    if (!(handle instanceof Socket) || served === undefined || isLate) {
      if (handle instanceof Socket) handle.destroy();
      reports.gone(id, true);
      return;
    }
    if (head !== undefined) handle.unshift(Buffer.from(head, "base64"));
    this.#connections++;
    const { desk } = served;
    const place = new RemotePlace(this.#primary, connection, desk.settings.admission, () => this.#connections--);
    if (refusal === undefined) desk.takeAdmitted(handle, info, place, id);
    else desk.takeRefused(handle, info, refusal, place, id);
  }

  /** @param earlier how often the same server has asked for such a place at the same time */
  #nameFor(server: ListeningServer, place: Place, earlier: number): string {
    const name = nameOf(place);
    const servers = this.#asked.get(name) ?? [];
    this.#asked.set(name, servers);
    if (!servers.includes(server)) servers.push(server);
    const others = servers.indexOf(server);
    return others + earlier === 0 ? name : `${name} (${others}.${earlier})`;
  }
}
