import { createServer, type Server, type Socket } from "node:net";

/** Connections that may wait to be accepted, as sshd has it. */
const LISTEN_BACKLOG = 128;

export interface AcceptedConnections {
  accepted(socket: Socket): void;
  /** A connection could not be accepted: the process may have too many open files. */
  failed(error: Error): void;
}

/**
 * Listens on a port or a socket of the file system. Sockets are accepted paused: nothing is read for a client that has
 * not taken the connection.
 *
 * @returns resolves once it listens; rejects with the system's error
 */
export function acceptConnections(
  place: { readonly host: string; readonly port: number } | { readonly path: string },
  { accepted, failed }: AcceptedConnections,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accepted);
    server.once("error", reject);
    // Each family has a socket of its own, and no worker of a cluster shares the port of another's client.
    server.listen({ ...place, ipv6Only: true, exclusive: true, backlog: LISTEN_BACKLOG }, () => {
      server.off("error", reject).on("error", failed);
      resolve(server);
    });
  });
}
