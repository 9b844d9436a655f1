import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";

export interface SocketPair {
  /** The server's end. */
  readonly near: Socket;
  /** The end of its peer. */
  readonly far: Socket;
}

/** Two ends of one TCP connection, by default both with `allowHalfOpen`. The near one does not read by itself. */
export async function socketPair({ allowHalfOpen = true } = {}): Promise<SocketPair> {
  const server = createServer({ allowHalfOpen, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const [[near]] = await Promise.all([once(server, "connection"), once(far, "connect")]);
  server.close();
  if (!(near instanceof Socket)) throw new Error("unreachable");
  return { near, far };
}
