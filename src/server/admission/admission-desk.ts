import type { Socket } from "node:net";
import type { Logger } from "../../base/logger.js";
import { workerNumber } from "../../base/worker-number.js";
import type { BoundAddress } from "../listeners/listen-address.js";
import { proxiedInfo, type StreamInfo, streamInfo } from "../stream-info.js";
import { Admission, isScarce } from "./admission.js";
import type { ConnectionPlace, RefusedPlace } from "./connection-place.js";
import type { AdmissionSettings } from "./options.js";
import { ProxiedSockets } from "./proxied-sockets.js";
import { type Refusal, type RefusalReason, refusalReasons } from "./refusal.js";
import { RefusalLog } from "./refusal-log.js";

export interface DeskSettings {
  readonly admission: AdmissionSettings;
  readonly maxConnections: number;
}

/** What becomes of clients that come to a desk. */
export interface DeskObserver {
  /**
   * A client may connect. The socket is paused if it was.
   *
   * @param id that another process has given to the connection
   */
  admitted(socket: Socket, info: StreamInfo, place: ConnectionPlace, id?: number): void;
  /** A client may not connect, and is to be told so. */
  turnedAway(socket: Socket, info: StreamInfo, reason: RefusalReason, place: RefusedPlace, id?: number): void;
  /** Somebody was refused, told or not. */
  refused(refusal: Refusal): void;
}

/** The place that every client passes first: it decides who may connect, counts those who are connected, and logs refusals. */
export class AdmissionDesk {
  #settings: DeskSettings;
  readonly #admission: Admission;
  #logger: Logger;
  readonly #observer: DeskObserver;
  readonly #refusalLog: RefusalLog;
  readonly #proxiedSockets: ProxiedSockets;
  readonly #refusedBy: Record<RefusalReason, number> = noRefusals();
  /** Clients that are being told that they are refused. */
  #turnedAway = 0;
  #isClosing = false;

  constructor(settings: DeskSettings, logger: Logger, observer: DeskObserver) {
    this.#settings = settings;
    this.#admission = new Admission(settings.admission);
    this.#logger = logger;
    this.#observer = observer;
    this.#refusalLog = new RefusalLog(logger);
    this.#proxiedSockets = new ProxiedSockets(settings.admission, {
      accepted: (socket, from) => this.#admit(socket, proxiedInfo(socket, from)),
      refused: (remoteAddress, error) => this.refused("proxyProtocol", remoteAddress, { cause: error.message }),
    });
  }

  get settings(): DeskSettings {
    return this.#settings;
  }

  /** New limits, with the same `perSourceNetBlockSize`: nothing that was counted is lost. */
  reload(settings: DeskSettings, logger: Logger): void {
    this.#settings = settings;
    this.#logger = logger;
    this.#admission.settings = settings.admission;
    this.#proxiedSockets.options = settings.admission;
    this.#refusalLog.logger = logger;
  }

  set maxConnections(maxConnections: number) {
    this.#settings = { ...this.#settings, maxConnections };
  }

  /** Connections on which nobody has logged in. */
  get startups(): number {
    return this.#admission.startups;
  }

  /** Sources that are refused for what they have done. */
  get penalisedSources(): number {
    return this.#admission.penalisedSources;
  }

  /** The number of refused clients, by the option that has refused them. */
  get refusedBy(): Readonly<Record<RefusalReason, number>> {
    return { ...this.#refusedBy };
  }

  /** A socket has come. A refusal costs as little as possible: few clients are told of it, and only where that helps their users. */
  accept(socket: Socket, address: BoundAddress): void {
    if (!("port" in address)) this.#admit(socket, "path" in address ? { localAddress: address.path } : {});
    // Reset before it was accepted: nobody can say whose it was, and whether they may connect.
    else if (socket.remoteAddress === undefined) socket.destroy();
    else if (!this.#proxiedSockets.isFromProxy(socket)) {
      this.#admit(socket, streamInfo(socket));
    } else if (this.#isFull) {
      this.refused("maxConnections", streamInfo(socket).remoteAddress);
      socket.destroy();
    } else {
      this.#proxiedSockets.add(socket);
    }
  }

  /** A client whom another process has let in, and counts. */
  takeAdmitted(socket: Socket, info: StreamInfo, place: ConnectionPlace, id: number): void {
    this.#serve(socket, place, () => this.#observer.admitted(socket, info, place, id));
  }

  /** A client whom another process has refused, to be told so. */
  takeRefused(socket: Socket, info: StreamInfo, reason: RefusalReason, place: RefusedPlace, id: number): void {
    this.#observer.refused({ reason, remoteAddress: info.remoteAddress, worker: workerNumber() });
    this.#serve(socket, place, () => this.#observer.turnedAway(socket, info, reason, place, id));
  }

  /** Counts a client in, unless it is refused. */
  decide(remoteAddress: string | undefined): ConnectionPlace | RefusalReason {
    if (this.#isClosing) return "shutdown";
    const objection = this.#admission.objection(remoteAddress);
    if (objection !== undefined) return objection;
    if (this.#isFull) return "maxConnections";
    const ticket = this.#admission.enter(remoteAddress);
    if (typeof ticket === "string") return ticket;
    const { connections } = this.#admission;
    const taken = connections + this.#proxiedSockets.size;
    return {
      isScarce: ticket.isScarce || isScarce(taken, this.#settings.maxConnections),
      logIn: (username) => ticket.logIn(username),
      penalise: (cause) => this.#admission.penalise(remoteAddress, cause),
      release: () => ticket.release(),
    };
  }

  /** A place for a client that is told of its refusal; `undefined` when there are too many of them. */
  takeRefusedPlace(): RefusedPlace | undefined {
    if (this.#turnedAway >= this.#settings.maxConnections) return undefined;
    this.#turnedAway++;
    let released = false;
    const release = () => {
      if (!released) this.#turnedAway--;
      released = true;
    };
    return { release };
  }

  /**
   * Counts a refusal, and logs it.
   *
   * @param details for the line in the log. The worker that had the connection is told by the event, too
   */
  refused(
    reason: RefusalReason,
    remoteAddress: string | undefined,
    details: { readonly worker?: number; readonly [name: string]: unknown } = {},
  ): void {
    this.#refusedBy[reason]++;
    this.#refusalLog.refused({ reason, remoteAddress }, details);
    this.#observer.refused({ reason, remoteAddress, worker: details.worker ?? workerNumber() });
  }

  /** The server is shutting down: nobody else may connect until it is opened again. */
  close(): void {
    this.#isClosing = true;
    this.#proxiedSockets.close();
  }

  reopen(): void {
    this.#isClosing = false;
    this.#refusalLog.flush();
  }

  get #isFull(): boolean {
    return this.#admission.connections + this.#proxiedSockets.size >= this.#settings.maxConnections;
  }

  #admit(socket: Socket, info: StreamInfo): void {
    const decision = this.decide(info.remoteAddress);
    if (typeof decision !== "string") {
      this.#serve(socket, decision, () => this.#observer.admitted(socket, info, decision));
      return;
    }
    this.refused(decision, info.remoteAddress);
    const isTold = decision === "maxConnections" || decision === "shutdown";
    const place = isTold ? this.takeRefusedPlace() : undefined;
    if (place === undefined) socket.destroy();
    else this.#serve(socket, place, () => this.#observer.turnedAway(socket, info, decision, place));
  }

  #serve(socket: Socket, place: RefusedPlace, serve: () => void): void {
    try {
      serve();
    } catch (error) {
      this.#logger.error({ err: error }, "a connection could not be served");
      socket.destroy();
      place.release();
    }
  }
}

function noRefusals(): Record<RefusalReason, number> {
  return Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>;
}
