import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PacketClient } from "../test/support/packet-client.js";

/** Milliseconds that an attacker waits for the server to end a connection. */
const PATIENCE = 60_000;

export interface Target {
  readonly port: number;
  /** That the attack comes from. */
  readonly localAddress: string;
}

/** One hostile connection, from its start until it is closed. Rejects where the server did not let it go on. */
type Attack = (target: Target) => Promise<void>;

async function open(target: Target, options: { readonly allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const socket = connect({ ...target, ...options, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.resume();
  await new Promise<void>((resolve) => socket.once("connect", resolve).once("close", resolve));
  return socket;
}

async function untilClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, "close", { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {});
  socket.destroy();
}

/** Sends some bytes and then nothing, until the server has had enough. */
const stalled =
  (bytes: Buffer): Attack =>
  async (target) => {
    const socket = await open(target);
    socket.write(bytes);
    await untilClosed(socket);
  };

const stalledAfter =
  (step: "handshake" | "authenticating"): Attack =>
  async ({ port, localAddress }) => {
    const client = await PacketClient[step](port, { localAddress });
    client.stream.socket.resume();
    await untilClosed(client.stream.socket);
  };

const IDENTIFICATION = Buffer.from("SSH-2.0-siege\r\n");

/** Attacks by name, with how many in a thousand connections are of this kind. */
export const ATTACKS: Readonly<Record<string, { readonly share: number; readonly attack: Attack }>> = {
  "nothing, then stalled": { share: 150, attack: stalled(Buffer.alloc(0)) },
  "half an identification, then stalled": { share: 150, attack: stalled(IDENTIFICATION.subarray(0, 7)) },
  "identification, then stalled": { share: 150, attack: stalled(IDENTIFICATION) },
  "a quarter of a packet, then stalled": {
    share: 100,
    attack: stalled(Buffer.concat([IDENTIFICATION, Buffer.from([0, 0, 0x80, 0, 4, 20]), Buffer.alloc(8000)])),
  },
  "half-open: ended, but kept": {
    share: 100,
    attack: async (target) => {
      const socket = await open(target, { allowHalfOpen: true });
      socket.end(IDENTIFICATION);
      await untilClosed(socket);
    },
  },
  "connected and reset": {
    share: 100,
    attack: async (target) => {
      const socket = await open(target);
      socket.resetAndDestroy();
    },
  },
  garbage: {
    share: 140,
    attack: async (target) => {
      const socket = await open(target);
      socket.end(randomBytes(2000));
      await untilClosed(socket);
    },
  },
  "key exchange, then stalled": { share: 40, attack: stalledAfter("handshake") },
  "authentication asked for, then stalled": { share: 20, attack: stalledAfter("authenticating") },
  "wrong passwords": {
    share: 50,
    attack: async ({ port, localAddress }) => {
      const client = await PacketClient.authenticating(port, { localAddress });
      await client.authPassword("user", "wrong");
      await client.authPassword("root", "wrong");
      await client.close();
    },
  },
};
