import type { Server, Socket } from "node:net";
import { systemErrorCode } from "../../base/system-error-code.js";
import { type AcceptedConnections, acceptConnections } from "../accept-connections.js";

/** The TCP port of display 0. */
const FIRST_PORT = 6000;

/** Errors of a machine that does not have the address: nobody else can have a port there, either. */
const NO_SUCH_ADDRESS: ReadonlySet<unknown> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

/** Gets the X clients that connect, paused. */
export type Accept = (socket: Socket) => void;

/** The port of an X display, on loopback: `localhost` leads X clients to either of its addresses. */
export class DisplayPort {
  readonly #servers: readonly Server[];

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /**
   * @param onError gets what fails later, as where no file descriptor is left for a connection
   * @returns `undefined` where another program has the port on one of the addresses, and would get some of the connections.
   *   Rejects when the system fails otherwise
   */
  static async open(
    display: number,
    accept: Accept,
    onError: (error: Error) => void,
  ): Promise<DisplayPort | undefined> {
    const servers: Server[] = [];
    const port = new DisplayPort(servers);
    let whole = false;
    const accepted = (socket: Socket) => (whole ? accept(socket) : socket.destroy());
    try {
      for (const address of ["127.0.0.1", "::1"]) {
        const server = await listenOn(address, FIRST_PORT + display, { accepted, failed: onError });
        if (server !== undefined) servers.push(server);
      }
    } catch (error) {
      port.close();
      if (systemErrorCode(error) === "EADDRINUSE") return undefined;
      throw error;
    }
    whole = true;
    return port;
  }

  /** Connections that were accepted go on. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}

/** @returns `undefined` where this machine does not have the address */
async function listenOn(host: string, port: number, connections: AcceptedConnections): Promise<Server | undefined> {
  try {
    return await acceptConnections({ host, port }, connections);
  } catch (error) {
    if (host === "::1" && NO_SUCH_ADDRESS.has(systemErrorCode(error))) return undefined;
    throw error;
  }
}
