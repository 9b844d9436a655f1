import type { Socket } from "node:net";
import { ConfigurationError } from "../../base/configuration-error.js";
import type { Logger } from "../../base/logger.js";
import { checkObject, checkOptions } from "../../base/option-checks.js";
import { AdmissionDesk, type DeskSettings } from "../../server/admission/admission-desk.js";
import { ADMISSION_OPTIONS, type AdmissionOptions, resolveAdmission } from "../../server/admission/options.js";
import { type Refusal, type RefusalReason, refusalReasons } from "../../server/admission/refusal.js";
import { type BoundAddress, leavesIPv4, type Place, samePlaces } from "../../server/listeners/listen-address.js";
import { type Listener, listen } from "../../server/listeners/listener.js";
import type { ListenAnswer, ListenRequest } from "../messages.js";
import { problemOf } from "../problem.js";
import type { HandOver } from "./hand-over.js";
import type { WorkerProcess } from "./worker-process.js";

/** Servers and places that all workers together may have. */
const MAX_DESKS = 64;
const MAX_PLACES = 256;

interface SharedDesk {
  readonly desk: AdmissionDesk;
  settings: DeskSettings;
  generation: number;
  /** Settings of workers that are not in force yet. */
  coming: { readonly generation: number; readonly settings: DeskSettings } | undefined;
}

interface SharedPlace {
  readonly desk: string;
  readonly place: Place;
  readonly opening: Promise<Listener>;
  /** Once it is open. */
  address: BoundAddress | undefined;
  /** The last that has asked for it. */
  generation: number;
  /** The first. */
  readonly openedBy: number;
  /** Requests that it is a part of, and that have not failed. */
  requests: number;
}

/** What the servers of all workers have in common: the places that are listened on, and who may connect there. */
export class SharedDesks {
  readonly #handOver: HandOver;
  readonly #logger: Logger;
  readonly #refused: (refusal: Refusal) => void;
  readonly #desks = new Map<string, SharedDesk>();
  readonly #places = new Map<string, SharedPlace>();
  #isClosed = false;

  constructor(handOver: HandOver, logger: Logger, refused: (refusal: Refusal) => void) {
    this.#handOver = handOver;
    this.#logger = logger;
    this.#refused = refused;
  }

  /** What is listened on, in the order in which it was asked for. */
  get addresses(): readonly BoundAddress[] {
    return [...this.#places.values()].flatMap(({ address }) => address ?? []);
  }

  get startups(): number {
    return this.#sum(({ startups }) => startups);
  }

  get penalisedSources(): number {
    return this.#sum(({ penalisedSources }) => penalisedSources);
  }

  get refusedBy(): Readonly<Record<RefusalReason, number>> {
    const all = [...this.#desks.values()].map(({ desk }) => desk.refusedBy);
    const sums = refusalReasons.map((reason) => [reason, all.reduce((sum, by) => sum + by[reason], 0)]);
    return Object.fromEntries(sums) as Record<RefusalReason, number>;
  }

  /** A user of a worker's connection was refused. */
  refuseUser(key: string, remoteAddress: string | undefined, worker: number): void {
    this.#desks.get(key)?.desk.refused("maxConnectionsPerUser", remoteAddress, { worker });
  }

  /** A server of a worker wants connections. */
  async listen(worker: WorkerProcess, request: ListenRequest): Promise<ListenAnswer> {
    try {
      if (this.#isClosed || worker.state === "ending") throw new Error("the workers are ending");
      const desk = this.#deskOf(worker, request);
      const listeners = await this.#listenOnAll(worker, request, desk);
      worker.desks.add(request.desk);
      this.#handOver.dispatch();
      return { addresses: listeners.map(({ address }) => address), problem: undefined };
    } catch (error) {
      return { addresses: [], problem: problemOf(error) };
    }
  }

  /** A server wants no more connections, in any worker: its places are freed. */
  unlisten(desk: string): void {
    void this.#closePlaces((place) => place.desk === desk);
  }

  /** Workers of a generation are in force from now on: their settings count, and what they do not listen on is closed. */
  commit(generation: number): void {
    for (const shared of this.#desks.values()) {
      if (shared.coming?.generation !== generation) continue;
      Object.assign(shared, shared.coming, { coming: undefined });
      shared.desk.reload(shared.settings, this.#logger);
    }
    this.#handOver.hurry();
    void this.#closePlaces((place) => place.generation < generation);
  }

  /** Workers of a generation will not be in force. */
  abandon(generation: number): void {
    for (const shared of this.#desks.values()) shared.coming = undefined;
    void this.#closePlaces((place) => place.openedBy === generation);
  }

  /** Nobody can connect any more. Resolves when all places are free. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const freed = this.#closePlaces(() => true);
    for (const { desk } of this.#desks.values()) {
      desk.close();
      desk.reopen();
    }
    await freed;
  }

  /** On all places, or on none that nobody else has asked for. */
  async #listenOnAll(worker: WorkerProcess, request: ListenRequest, desk: AdmissionDesk): Promise<readonly Listener[]> {
    const places = request.places.map(({ place }) => place);
    const shared: SharedPlace[] = [];
    try {
      for (const { name, place } of request.places) {
        const open = () => this.#open(place, places, desk);
        const found = this.#placeOf(worker, { name, desk: request.desk, place }, open);
        found.requests++;
        shared.push(found);
      }
      return await Promise.all(shared.map(({ opening }) => opening));
    } catch (error) {
      for (const place of shared) place.requests--;
      await this.#closePlaces((place) => place.requests === 0);
      throw error;
    }
  }

  #deskOf(worker: WorkerProcess, { desk: key, maxConnections, admission }: ListenRequest): AdmissionDesk {
    const given = checkOptions(checkObject("admission", admission as AdmissionOptions), ADMISSION_OPTIONS);
    const settings = { maxConnections, admission: resolveAdmission(given) };
    const { generation } = worker;
    const known = this.#desks.get(key);
    if (known === undefined) {
      if (this.#desks.size >= MAX_DESKS) throw new ConfigurationError("workers", `have more than ${MAX_DESKS} servers`);
      const desk = this.#createDesk(key, settings);
      this.#desks.set(key, { desk, settings, generation, coming: undefined });
      return desk;
    }
    const { ipv4, ipv6 } = settings.admission.perSourceNetBlockSize;
    const { perSourceNetBlockSize: size } = known.settings.admission;
    if (ipv4 !== size.ipv4 || ipv6 !== size.ipv6) {
      throw new ConfigurationError("perSourceNetBlockSize", "cannot be changed by a reload");
    }
    const { settings: rule } = generation > known.generation ? (known.coming ?? { settings }) : known;
    if (generation > known.generation) known.coming ??= { generation, settings };
    if (!isSame(rule, settings)) {
      this.#logger.warn({ worker: worker.number }, "workers want different limits: those of the first count");
    }
    return known.desk;
  }

  #createDesk(key: string, settings: DeskSettings): AdmissionDesk {
    return new AdmissionDesk(settings, this.#logger, {
      admitted: (socket, info, place) => {
        if (place.isScarce) this.#handOver.hurry();
        this.#handOver.add(key, socket, info, { kind: "admitted", place });
      },
      turnedAway: (socket, info, reason, place) =>
        this.#handOver.add(key, socket, info, { kind: "refused", place, reason }),
      refused: (refusal) => {
        this.#handOver.hurry();
        this.#refused(refusal);
      },
    });
  }

  #placeOf(
    { generation }: WorkerProcess,
    { name, desk, place }: { readonly name: string; readonly desk: string; readonly place: Place },
    open: () => Promise<Listener>,
  ): SharedPlace {
    const known = this.#places.get(name);
    if (known !== undefined) {
      if (!samePlaces([known.place], [place])) {
        const option = place.kind === "port" ? place.names.port : place.option;
        throw new ConfigurationError(option, "cannot be changed by a reload");
      }
      known.generation = Math.max(known.generation, generation);
      return known;
    }
    if (this.#places.size >= MAX_PLACES) {
      throw new ConfigurationError("workers", `listen on more than ${MAX_PLACES} places`);
    }
    const opening = open();
    const shared: SharedPlace = {
      desk,
      place,
      opening,
      address: undefined,
      generation,
      openedBy: generation,
      requests: 0,
    };
    this.#places.set(name, shared);
    opening.then(
      ({ address }) => {
        shared.address = address;
      },
      () => this.#places.delete(name),
    );
    return shared;
  }

  #open(place: Place, places: readonly Place[], desk: AdmissionDesk): Promise<Listener> {
    return listen(place, {
      ipv6Only: leavesIPv4(place, places),
      // Nothing is read of a socket here that goes to a worker.
      pauseOnConnect: true,
      accepted: (socket, address) => desk.accept(forSending(socket), address),
      failed: (err) => this.#logger.error({ err }, "a connection could not be accepted"),
    });
  }

  async #closePlaces(isClosed: (place: SharedPlace) => boolean): Promise<void> {
    const closed = [...this.#places].filter(([, place]) => isClosed(place));
    for (const [name] of closed) this.#places.delete(name);
    await Promise.all(
      closed.map(([, { opening }]) =>
        opening.then(
          (listener) => listener.close(),
          () => {},
        ),
      ),
    );
  }

  #sum(count: (desk: AdmissionDesk) => number): number {
    return [...this.#desks.values()].reduce((total, { desk }) => total + count(desk), 0);
  }
}

/** A socket that is not one of a server: of those Node.js would have the other process tell when they end. */
function forSending(socket: Socket): Socket {
  Reflect.set(socket, "server", null);
  return socket;
}

function isSame(settings: DeskSettings, others: DeskSettings): boolean {
  const text = ({ maxConnections, admission }: DeskSettings) => JSON.stringify([maxConnections, admission.given]);
  return text(settings) === text(others);
}
