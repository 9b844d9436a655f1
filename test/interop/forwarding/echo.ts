import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { connected, type Place, received } from "../../forwarding/listening-client.js";

/** Gives back what it gets, and ends when its peer does. */
export interface EchoTarget {
  readonly port: number;
  /** As `ssh` wants it behind a place to listen on. */
  readonly address: string;
}

/** Call it where tests are declared: it listens before them, and stops after them. @param path default a loopback port */
export function echoTarget(path?: string): EchoTarget {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  beforeAll(async () => {
    server.listen(path === undefined ? { host: "127.0.0.1", port: 0 } : { path });
    await once(server, "listening");
  });
  afterAll(() => server.close());
  return {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    get address() {
      return `127.0.0.1:${this.port}`;
    },
  };
}

/** @returns what comes back from there for the data, up to its end; the data ends first */
export async function echoed(place: Place, data: Uint8Array | string): Promise<Buffer> {
  const socket = await connected(place);
  socket.end(data);
  return received(socket);
}
