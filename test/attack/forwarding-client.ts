import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished } from "vitest";
import type { Channel, ForwardingOptions, Permissions, SSHServer } from "../../src/index.js";
import { MessageNumber as M, OPEN_SUCCEEDED } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  type ChannelOpen,
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  ping,
} from "../support/packet-messages.js";
import { Attacked, type ManagerOptions, TargetServer } from "./attacked-server.js";

type Text = string | Uint8Array;

/** A server that forwards as it is declared. */
export class ForwardingServer extends TargetServer {
  /** The last session on which a program is held. */
  session: Channel | undefined;

  override checkChannelRequest(kind: string): ReturnType<SSHServer["checkChannelRequest"]> {
    return kind.startsWith("direct-") ? OPEN_SUCCEEDED : super.checkChannelRequest(kind);
  }

  override checkChannelExecRequest(
    channel: Channel,
    command: Buffer,
  ): ReturnType<SSHServer["checkChannelExecRequest"]> {
    this.session = channel;
    return super.checkChannelExecRequest(channel, command);
  }
}

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly message: string };

export interface AttackedForwarding {
  readonly attacked: Attacked<ForwardingServer>;
  readonly client: PacketClient;
  /** What the server has logged of refusals and failures, or worse. */
  readonly lines: LogLine[];
  /** Ends the connection of the client, after which nothing must be left. */
  leave(): Promise<void>;
}

/** Starts a server that forwards, and logs a client in. */
export async function startForwarding(
  forwarding: ForwardingOptions,
  { permissions = {}, ...options }: Partial<ManagerOptions> & { readonly permissions?: Partial<Permissions> } = {},
): Promise<AttackedForwarding> {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    if (level !== "info" || message.includes("refused") || "refused" in fields)
      lines.push({ ...fields, level, message });
  };
  const logger = { debug: () => {}, info: at("info"), warn: at("warn"), error: at("error") };
  const attacked = await Attacked.start(new ForwardingServer({ forwarding, authentication: { permissions } }), {
    logger,
    ...options,
  });
  const client = await attacked.login();
  attacked.forgetCalls();
  const leave = async () => {
    await client.close();
    await attacked.expectUnharmed();
  };
  return { attacked, client, lines, leave };
}

export const directTcpip = (host: Text, port: number, open: ChannelOpen = {}): Buffer =>
  Buffer.concat([
    channelOpen({ kind: "direct-tcpip", ...open }),
    new Writer().writeString(host).writeUint32(port).writeString("127.0.0.1").writeUint32(1).toBuffer(),
  ]);

export const directStreamlocal = (path: Text): Buffer =>
  Buffer.concat([
    channelOpen({ kind: "direct-streamlocal@openssh.com" }),
    new Writer().writeString(path).writeString("").writeUint32(0).toBuffer(),
  ]);

/** The fields of `tcpip-forward` and its cancelling. */
export const place = (address: Text, port: number): Buffer =>
  new Writer().writeString(address).writeUint32(port).toBuffer();

export const confirmation = (recipient: number, { sender = 70, window = 2 ** 20 } = {}): Buffer =>
  new Writer()
    .writeByte(M.CHANNEL_OPEN_CONFIRMATION)
    .writeUint32(recipient)
    .writeUint32(sender)
    .writeUint32(window)
    .writeUint32(32_768)
    .toBuffer();

export const openFailure = (recipient: number): Buffer =>
  new Writer()
    .writeByte(M.CHANNEL_OPEN_FAILURE)
    .writeUint32(recipient)
    .writeUint32(1)
    .writeString("no")
    .writeString("")
    .toBuffer();

/** The number of a channel that the client has asked for. */
export async function openedNumber(client: PacketClient): Promise<number> {
  return recipientOf(await client.expect(M.CHANNEL_OPEN_CONFIRMATION, { skip: CHANNEL_TRAFFIC }), 5);
}

/** The number of a channel that the server asks for. */
export async function askedNumber(client: PacketClient, kind: string): Promise<number> {
  const reader = new Reader(await client.expect(M.CHANNEL_OPEN, { skip: CHANNEL_TRAFFIC }), 1);
  expect(reader.readText()).toBe(kind);
  return reader.readUint32();
}

/** All that was sent was handled. Returns the numbers of the messages that have come meanwhile. */
export async function handled(client: PacketClient): Promise<number[]> {
  client.sendPacket(ping("handled"));
  const numbers: number[] = [];
  for (;;) {
    const [number = -1] = await client.nextPacket();
    if (number === M.PONG) return numbers;
    numbers.push(number);
  }
}

/** Asks for something that is not about a channel. Returns the port that was chosen, or whether it was granted. */
export async function ask(client: PacketClient, kind: string, fields: Uint8Array): Promise<number | boolean> {
  client.sendPacket(globalRequest(kind, "want-reply", fields));
  for (;;) {
    const payload = await client.nextPacket();
    if (payload[0] === M.REQUEST_FAILURE) return false;
    if (payload[0] === M.REQUEST_SUCCESS) return payload.length === 5 ? recipientOf(payload, 1) : true;
  }
}

/** Has a port listened on. */
export async function listenedPort(client: PacketClient): Promise<number> {
  const port = await ask(client, "tcpip-forward", place("localhost", 0));
  if (typeof port !== "number") throw new Error("the port was refused");
  return port;
}

/** A session on which a program is held, and which had something granted before. Returns its number as well. */
export async function sessionWith(
  { client, attacked }: AttackedForwarding,
  kind: string,
  fields?: Uint8Array,
): Promise<{ readonly id: number; readonly channel: Channel }> {
  const { id } = await client.openSession();
  client.sendPacket(channelRequest(id, kind, "want-reply", fields));
  await client.expect(M.CHANNEL_SUCCESS);
  client.sendPacket(execRequest(id, "hold"));
  await client.expect(M.CHANNEL_SUCCESS);
  const { session: channel } = attacked.server;
  if (channel === undefined) throw new Error("no program was asked for");
  return { id, channel };
}

export interface ListeningTarget {
  readonly port: number;
  readonly sockets: readonly Socket[];
}

/** Listens for the length of the test. Each connection that is read is ended where its peer ends it. */
export async function listeningTarget(
  accept: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<ListeningTarget> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on("error", () => {}).on("end", () => socket.end()));
    accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** Connects, and never fails: a reset is an end. */
export async function visitor(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

export const CHANNEL_TRAFFIC = [M.CHANNEL_DATA, M.CHANNEL_EOF, M.CHANNEL_CLOSE, M.CHANNEL_WINDOW_ADJUST];

function recipientOf(payload: Buffer, offset: number): number {
  return new Reader(payload, offset).readUint32();
}
