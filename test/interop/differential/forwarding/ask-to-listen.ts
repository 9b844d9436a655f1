import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { MessageNumber } from "../../../../src/protocol/constants.js";
import { Reader } from "../../../../src/protocol/reader.js";
import { Writer } from "../../../../src/protocol/writer.js";
import type { PacketClient } from "../../../support/packet-client.js";
import { acknowledge, askGlobally, type GlobalRequest, next, whichAreGranted } from "./asking.js";
import type { Outcome } from "./outcome.js";
import { close, listen, type Places } from "./places.js";
import { addressOf, type ListenRequest, portOf, type SocketRequest } from "./requests.js";
import { listenersAt, portsInUse } from "./system-sockets.js";

const MAX_PORT = 65_535;

/** Asks for a port, uses it and cancels it, with requests and cancels beside it that differ. */
export async function askToListen(client: PacketClient, request: ListenRequest, places: Places): Promise<Outcome> {
  const address = addressOf(request.address, places);
  const asked = portOf(request.port, places);
  const inUse = asked === 0 ? portsInUse() : new Set<number>();
  const reply = await askGlobally(client, ["tcpip-forward", portFields(address, asked)]);
  if (reply === undefined) return { decision: "refused" };
  const port = reply.length === 4 ? reply.readUInt32BE() : asked;
  const cancel = (other: string, at: number): GlobalRequest => ["cancel-tcpip-forward", portFields(other, at)];
  if (inUse.has(port)) {
    // The system knows that a port is free at one address; at another a program of somebody else may have it.
    await askGlobally(client, cancel(address, port));
    return askToListen(client, request, places);
  }
  // sshd goes by the lower half of such a number, and does not find the listener again to cancel it.
  if (port > MAX_PORT) return { decision: "granted" };
  const bound = listenersAt(port);
  const told = await toldOfConnection(client, bound[0] ?? "127.0.0.1", port);
  const second = addressOf(request.second, places);
  const isSecond = (await askGlobally(client, ["tcpip-forward", portFields(second, port)])) !== undefined;
  const boundThen = isSecond ? listenersAt(port) : [];

  const others = request.cancels.map((other) => addressOf(other, places)).filter((other) => other !== address);
  if (isSecond && second !== address) await askGlobally(client, cancel(second, port));
  const wrong = [...others.map((other) => cancel(other, port)), cancel(address, port + 1)];
  const right = [cancel(address, port), cancel(address, port)];
  return {
    decision: "granted",
    second: isSecond ? "granted" : "refused",
    boundThen,
    details: {
      bound,
      told: `${told.kind} ${told.address} ${told.port === port ? "and the port" : told.port}`,
      reply: `${reply.length} bytes`,
      wrong: await whichAreGranted(client, wrong),
      right: await whichAreGranted(client, right),
      after: listenersAt(port),
    },
  };
}

const portFields = (address: string, port: number): Buffer =>
  new Writer().writeString(address).writeUint32(port).toBuffer();

export async function askForSocket(
  client: PacketClient,
  { path }: SocketRequest,
  { folder }: Places,
): Promise<Outcome> {
  // Of its own, since sshd leaves it behind.
  const socket = join(await mkdtemp(join(folder, "s-")), "socket");
  const there = path === "there" ? await listen({ path: socket }) : undefined;
  const fields = (text: string) => new Writer().writeString(text).toBuffer();
  const cancel = (text: string) => ["cancel-streamlocal-forward@openssh.com", fields(text)] as const;
  const request = ["streamlocal-forward@openssh.com", fields(socket)] as const;
  try {
    if ((await askGlobally(client, request)) === undefined) return { decision: "refused" };
    const mode = statSync(socket).mode.toString(8);
    const second = await askGlobally(client, request);
    const cancels = await whichAreGranted(client, [cancel(join(folder, "other")), cancel(socket)]);
    return {
      decision: "granted",
      second: second === undefined ? "refused" : "granted",
      file: existsSync(socket) ? "stays" : "is removed",
      details: { mode, cancels },
    };
  } finally {
    if (there !== undefined) await close(there);
  }
}

/** Connects to a listener. @returns what the client is told that it was */
async function toldOfConnection(client: PacketClient, host: string, port: number) {
  const socket = connect({ host, port });
  await once(socket, "connect");
  // The server may reset it.
  socket.on("error", () => {});
  acknowledge(client);
  const open = new Reader(await next(client, MessageNumber.CHANNEL_OPEN), 1);
  const kind = open.readText();
  const channel = open.readUint32();
  open.readUint32();
  open.readUint32();
  const told = { kind, address: open.readText(), port: open.readUint32() };
  client.sendPacket(
    new Writer()
      .writeByte(MessageNumber.CHANNEL_OPEN_FAILURE)
      .writeUint32(channel)
      .writeUint32(1)
      .writeString("")
      .writeString("")
      .toBuffer(),
  );
  socket.destroy();
  return told;
}
