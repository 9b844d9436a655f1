import type { Connection } from "../../session/connection.js";
import type { AdmissionDesk } from "../admission/admission-desk.js";
import type { ConnectionStats } from "../connection-stats.js";
import type { BoundAddress, Place } from "./listen-address.js";
import { Listeners } from "./listeners.js";

/** Places that are listened on: by this process, or for it by another. */
export interface Listening {
  /** In the order of the places. */
  readonly addresses: readonly BoundAddress[];
  /** Nobody can connect any more; connections go on. Resolves once the places are free, and never rejects. */
  close(): Promise<void>;
}

/** The server for which places are listened on, for a process that looks after several. */
export interface ListeningServer {
  getActiveConnections(): readonly Connection[];
  getConnectionStats(): ConnectionStats;
  closeConnection(id: number): boolean;
  stopServer(options?: { readonly gracePeriod?: number }): Promise<void>;
}

export interface ListeningOptions {
  readonly server: ListeningServer;
  readonly places: readonly Place[];
  /** Gets the sockets that are accepted here; where another process has decided, those who may connect come to its observer. */
  readonly desk: AdmissionDesk;
  /** A connection could not be accepted. */
  failed(error: Error): void;
}

/**
 * Resolves once all places are listened on.
 *
 * @throws {ConfigurationError} when one of them cannot be listened on, and then none is; its cause is the system's error
 */
export type OpenListening = (options: ListeningOptions) => Promise<Listening>;

const listenHere: OpenListening = ({ places, desk, failed }) =>
  Listeners.open(places, { accepted: (socket, address) => desk.accept(socket, address), failed });

let open = listenHere;

/** Listens, as all managers of this process do. */
export const openListening: OpenListening = (options) => open(options);

/** For a process whose sockets come from another one. */
export function listenThrough(other: OpenListening): void {
  open = other;
}
