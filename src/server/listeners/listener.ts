import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { ConfigurationError } from "../../base/configuration-error.js";
import { isError } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import type { AcceptedConnections } from "../../forwarding/accept-connections.js";
import type { BoundAddress, Place } from "./listen-address.js";
import { bindOwnSocket } from "./own-socket.js";

/**
 * Connections that may wait to be accepted: a client that finds all places taken tries again a second later. The system may
 * allow fewer.
 */
const LISTEN_BACKLOG = 4096;

export interface Listener {
  readonly address: BoundAddress;
  /** Accepts no more connections; a socket of the file system is removed. Never rejects. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  /** Whether an address of IPv6 does not take IPv4 too. */
  readonly ipv6Only: boolean;
  /** Sockets are accepted paused: nothing is read of them. */
  readonly pauseOnConnect?: boolean;
  accepted(socket: Socket, address: BoundAddress): void;
  /** A connection could not be accepted. */
  failed(error: Error): void;
}

/**
 * Resolves once it listens.
 *
 * @throws {ConfigurationError} when the address cannot be listened on; its cause is the system's error
 */
export async function listen(place: Place, options: ListenerOptions): Promise<Listener> {
  try {
    return await listenAt(place, options);
  } catch (error) {
    throw listenError(error, place);
  }
}

async function listenAt(place: Place, options: ListenerOptions): Promise<Listener> {
  const { ipv6Only, accepted, failed } = options;
  switch (place.kind) {
    case "port": {
      const { host, port } = place;
      return listenerOf(await open({ host, port, ipv6Only }, options));
    }
    case "descriptor": {
      const { fd, name } = place;
      const address = { fd, ...(name !== undefined && { name }) };
      return listenerOf(await open({ fd, exclusive: true }, options, address));
    }
    case "socket": {
      const address = { path: place.path };
      const listenAtPath = async (where: ListenOptions, connections: AcceptedConnections) =>
        (await open({ ...where, exclusive: true }, { ...options, ...connections }, address)).server;
      const connections = { failed, accepted: (socket: Socket) => accepted(socket, address) };
      const bound = await bindOwnSocket(place, listenAtPath, connections);
      return { address, close: () => bound.close() };
    }
  }
}

interface Opened {
  readonly server: Server;
  readonly address: BoundAddress;
}

/** @param given the address, where the server itself would not know it */
function open(
  options: ListenOptions & { readonly fd?: number },
  { accepted, failed, pauseOnConnect = false }: Omit<ListenerOptions, "ipv6Only">,
  given?: BoundAddress,
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    // Nobody is accepted before it listens.
    let address: BoundAddress = given ?? { address: "", port: 0 };
    const server = createServer({ pauseOnConnect }, (socket) => accepted(socket, address));
    server.once("error", reject);
    server.listen({ ...options, backlog: LISTEN_BACKLOG }, () => {
      const bound = server.address();
      if (typeof bound === "object" && bound !== null) address = { address: bound.address, port: bound.port };
      server.off("error", reject).on("error", failed);
      resolve({ server, address });
    });
  });
}

function listenerOf({ server, address }: Opened): Listener {
  return {
    address,
    close: async () => {
      server.close();
    },
  };
}

function listenError(error: unknown, place: Place): ConfigurationError {
  if (error instanceof ConfigurationError) return error;
  const { message } = isError(error) ? error : new Error(String(error));
  const options = { cause: error };
  if (place.kind !== "port") {
    const name = place.kind === "socket" ? place.path : `file descriptor ${place.fd}`;
    return new ConfigurationError(place.option, `cannot listen on ${name}: ${message}`, options);
  }
  const { host, port, names } = place;
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return new ConfigurationError(names.port, `${host} port ${port} is already in use`, options);
    case "EACCES":
      return new ConfigurationError(names.port, `no permission to listen on ${host} port ${port}`, options);
    case "ENOTFOUND":
      return new ConfigurationError(names.host, `${host} is neither an address nor a name that can be found`, options);
    case "EADDRNOTAVAIL":
    case "EINVAL":
      return new ConfigurationError(names.host, `${host} is not an address of this machine`, options);
    default:
      return new ConfigurationError(names.host, `cannot listen on ${host} port ${port}: ${message}`, options);
  }
}
