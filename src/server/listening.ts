import type { Connection } from "../session/connection.js";
import type { AdmissionDesk } from "./admission/admission-desk.js";
import type { ConnectionStats } from "./connection-stats.js";
import { listen } from "./listener.js";

/** A place that is listened on: by this process, or for it by another. */
export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Nobody can connect any more; connections go on. */
  close(): void;
}

/** The server for which a place is listened on, for a process that looks after several. */
export interface ListeningServer {
  getActiveConnections(): readonly Connection[];
  getConnectionStats(): ConnectionStats;
  closeConnection(id: number): boolean;
  stopServer(options?: { readonly gracePeriod?: number }): Promise<void>;
}

export interface ListeningOptions {
  readonly server: ListeningServer;
  readonly address: string;
  /** 0 for one that is free. */
  readonly port: number;
  /** Gets the sockets that are accepted here; where another process has decided, those who may connect come to its observer. */
  readonly desk: AdmissionDesk;
  /** A connection could not be accepted. */
  failed(error: Error): void;
}

/**
 * Resolves once the place is listened on.
 *
 * @throws {ConfigurationError} when it cannot be listened on; its cause is the system's error
 */
export type OpenListening = (options: ListeningOptions) => Promise<Listening>;

const listenHere: OpenListening = async ({ address, port, desk, failed }) => {
  const server = await listen({ address, port, accepted: (socket) => desk.accept(socket), failed });
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new Error("the server does not run");
  return { address: bound.address, port: bound.port, close: () => server.close() };
};

let open = listenHere;

/** Listens, as all managers of this process do. */
export const openListening: OpenListening = (options) => open(options);

/** For a process whose sockets come from another one. */
export function listenThrough(other: OpenListening): void {
  open = other;
}
