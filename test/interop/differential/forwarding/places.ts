import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

/** Ports in the texts of cases, by these names. */
export interface Ports {
  /** Something listens there, on the addresses of loopback. */
  readonly open: number;
  /** Nothing listens there, and nobody is asked to. */
  readonly dead: number;
  /** Both servers may be asked to listen there. */
  readonly free: number;
  readonly other: number;
  readonly low: number;
  /** Is the lower half of a number that is too large. */
  readonly large: number;
}

/** What is there to connect to, and to listen on, for the cases of this file. */
export interface Places extends AsyncDisposable {
  readonly ports: Ports;
  /** An IPv4 address of this machine that is not of loopback; one of 127.0.0.0/8 where there is none. */
  readonly ownAddress: string;
  /** A folder for sockets. */
  readonly folder: string;
  /** The path of one that listens. */
  readonly socket: string;
}

/** The system chooses ports above these by itself, so that no other program gets them in between (ip_local_port_range). */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const FIRST_LOW_PORT = 600;

export async function openPlaces(folder: string): Promise<Places> {
  const next = freePorts(FIRST_PORT + ((process.pid * 8) % (LAST_PORT - FIRST_PORT)));
  const ports: Ports = {
    open: await next(),
    dead: await next(),
    free: await next(),
    other: await next(),
    large: await next(),
    low: await freePorts(FIRST_LOW_PORT + (process.pid % 400))(),
  };
  const socket = join(folder, "socket");
  const servers = await Promise.all([
    listen({ host: "127.0.0.1", port: ports.open }),
    listen({ path: socket }),
    // Where there is no IPv6, neither server can connect to it.
    ...(hasIPv6 ? [listen({ host: "::1", port: ports.open })] : []),
  ]);
  const [ownAddress = "127.0.0.3"] = networkAddresses()
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
  return {
    ports,
    ownAddress,
    folder,
    socket,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

const hasIPv6 = networkAddresses().some(({ address }) => address === "::1");

function networkAddresses() {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}

/** @returns gives the next port, from this one on, that is free at all addresses */
function freePorts(from: number): () => Promise<number> {
  let port = from;
  return async () => {
    while (!(await isFree(port))) port++;
    return port++;
  };
}

async function isFree(port: number): Promise<boolean> {
  try {
    for (const host of hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"]) await close(await listen({ host, port }));
    return true;
  } catch (error) {
    // Only root may have ports under 1024; nobody is about to listen there then.
    return error instanceof Error && "code" in error && error.code === "EACCES";
  }
}

export function listen(
  place: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    server.once("error", reject).listen({ ...place, ipv6Only: true }, () => resolve(server));
  });
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
