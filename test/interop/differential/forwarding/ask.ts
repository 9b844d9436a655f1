import { MessageNumber } from "../../../../src/protocol/constants.js";
import { Reader } from "../../../../src/protocol/reader.js";
import { Writer } from "../../../../src/protocol/writer.js";
import type { PacketClient } from "../../../support/packet-client.js";
import * as messages from "../../../support/packet-messages.js";
import { askForSocket, askToListen } from "./ask-to-listen.js";
import { next } from "./asking.js";
import type { Decision, Outcome } from "./outcome.js";
import type { Places } from "./places.js";
import {
  type ConnectRequest,
  type ForwardingRequest,
  portOf,
  type SessionRequest,
  type SocketRequest,
} from "./requests.js";

const { CHANNEL_FAILURE, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE, CHANNEL_SUCCESS } = MessageNumber;

/** Sends one request, and what belongs to it; nothing of it is left behind. */
export function ask(client: PacketClient, request: ForwardingRequest, places: Places): Promise<Outcome> {
  switch (request.kind) {
    case "direct-tcpip":
      return askToConnect(client, "direct-tcpip", targetFields(request, places));
    case "tcpip-forward":
      return askToListen(client, request, places);
    case "direct-streamlocal":
      return askToConnect(client, "direct-streamlocal@openssh.com", socketFields(request, places));
    case "streamlocal-forward":
      return askForSocket(client, request, places);
    case "agent":
    case "x11":
      return askOfSession(client, request);
  }
}

function targetFields({ host, port }: ConnectRequest, places: Places): Buffer {
  return new Writer()
    .writeString(host)
    .writeUint32(portOf(port, places))
    .writeString("127.0.0.1")
    .writeUint32(4711)
    .toBuffer();
}

function socketFields({ path }: SocketRequest, { socket }: Places): Buffer {
  return new Writer()
    .writeString(path === "there" ? socket : `${socket}-not`)
    .writeString("")
    .writeUint32(0)
    .toBuffer();
}

const DECISIONS: Readonly<Record<number, Decision>> = { 1: "prohibited", 2: "connect failed" };

async function askToConnect(client: PacketClient, kind: string, fields: Buffer): Promise<Outcome> {
  client.sendPacket(Buffer.concat([messages.channelOpen({ kind }), fields]));
  const answer = await next(client, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE);
  if (answer[0] === CHANNEL_OPEN_FAILURE) {
    const { reason } = messages.readOpenFailure(answer);
    return { decision: DECISIONS[reason] ?? `reason ${reason}` };
  }
  client.sendPacket(messages.channelClose(new Reader(answer, 5).readUint32()));
  return { decision: "connected" };
}

async function askOfSession(client: PacketClient, { kind, times, cookie = "" }: SessionRequest): Promise<Outcome> {
  client.sendPacket(messages.channelOpen());
  const channel = new Reader(await next(client, CHANNEL_OPEN_CONFIRMATION), 5).readUint32();
  const request =
    kind === "agent"
      ? messages.channelRequest(channel, "auth-agent-req@openssh.com", "want-reply")
      : messages.channelRequest(channel, "x11-req", "want-reply", displayFields(cookie));
  const askOnce = async (): Promise<Decision> => {
    client.sendPacket(request);
    return (await next(client, CHANNEL_SUCCESS, CHANNEL_FAILURE))[0] === CHANNEL_SUCCESS ? "granted" : "refused";
  };
  const decision = await askOnce();
  const outcome = times === "twice" && decision === "granted" ? { decision, second: await askOnce() } : { decision };
  client.sendPacket(messages.channelClose(channel));
  return outcome;
}

const displayFields = (cookie: string): Buffer =>
  new Writer().writeBoolean(false).writeString("MIT-MAGIC-COOKIE-1").writeString(cookie).writeUint32(0).toBuffer();
