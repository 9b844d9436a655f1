import { type AddressInfo, isIP, type Server } from "node:net";
import { inLimitedTime } from "../../base/limited-time.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import type { Connection } from "../../session/connection.js";
import { type AcceptedConnections, acceptConnections } from "../accept-connections.js";
import { systemLookups } from "./system-lookup.js";

/** Ports that are tried where the system chooses one: it knows of one address only that the port is free there. */
const MAX_TRIES = 8;

/** Milliseconds for the addresses of a name: later requests of the client wait meanwhile. */
const LOOKUP_TIME = 30_000;

/** Addresses of one name that are listened on. */
const MAX_ADDRESSES = 16;

/** The client that is listened for: each client has its turn where names wait to be looked up. */
export type ListeningClient = Pick<Connection, "signal">;

/** A port that is listened on, on all addresses that were asked for and that the machine has. */
export interface BoundPort {
  readonly port: number;
  readonly servers: readonly Server[];
}

/**
 * Listens on the same port of several addresses. An address that the machine does not have, such as those of a family
 * that is switched off, is left out if there are others; a port that is in use at one of them is in use.
 *
 * @param names addresses or names
 * @param port 0 lets the system choose
 * @param client that is listened for
 * @throws the system's error
 */
export async function listenOnPort(
  names: readonly string[],
  port: number,
  client: ListeningClient,
  connections: AcceptedConnections,
): Promise<BoundPort> {
  const addresses = (await Promise.all(names.map((name) => addressesOf(name, client)))).flat().slice(0, MAX_ADDRESSES);
  for (let tries = 1; ; tries++) {
    try {
      return await listenOnAll(addresses, port, connections);
    } catch (error) {
      const mayBeOther = port === 0 && systemErrorCode(error) === "EADDRINUSE" && tries < MAX_TRIES;
      if (!mayBeOther) throw error;
    }
  }
}

async function addressesOf(name: string, client: ListeningClient): Promise<readonly string[]> {
  // An address does not wait for names.
  if (isIP(name) !== 0) return [name];
  const overdue = () => new Error(`no address of the name within ${LOOKUP_TIME / 1000} s`);
  return inLimitedTime({ milliseconds: LOOKUP_TIME, overdue, signals: [client.signal] }, (signal) =>
    systemLookups().find(name, client, signal),
  );
}

async function listenOnAll(
  addresses: readonly string[],
  port: number,
  connections: AcceptedConnections,
): Promise<BoundPort> {
  const servers: Server[] = [];
  let bound = port;
  let missing: unknown;
  try {
    for (const host of addresses) {
      try {
        const server = await acceptConnections({ host, port: bound }, connections);
        servers.push(server);
        bound = (server.address() as AddressInfo).port;
      } catch (error) {
        if (!isMissing(error)) throw error;
        missing = error;
      }
    }
    if (servers.length === 0) throw missing;
    return { port: bound, servers };
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(systemErrorCode(error) ?? "");
}
