import { randomBytes } from "node:crypto";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";

/** SSH_MSG_KEXINIT (RFC 4253 §7.1). */
export interface KexInit {
  readonly cookie: Buffer;
  readonly kex: readonly string[];
  readonly hostKey: readonly string[];
  readonly cipherClientToServer: readonly string[];
  readonly cipherServerToClient: readonly string[];
  readonly macClientToServer: readonly string[];
  readonly macServerToClient: readonly string[];
  readonly compressionClientToServer: readonly string[];
  readonly compressionServerToClient: readonly string[];
  readonly firstKexPacketFollows: boolean;
}

export function writeKexInit(message: KexInit): Buffer {
  return new Writer()
    .writeByte(MessageNumber.KEXINIT)
    .writeBytes(message.cookie)
    .writeNameList(message.kex)
    .writeNameList(message.hostKey)
    .writeNameList(message.cipherClientToServer)
    .writeNameList(message.cipherServerToClient)
    .writeNameList(message.macClientToServer)
    .writeNameList(message.macServerToClient)
    .writeNameList(message.compressionClientToServer)
    .writeNameList(message.compressionServerToClient)
    .writeNameList([])
    .writeNameList([])
    .writeBoolean(message.firstKexPacketFollows)
    .writeUint32(0)
    .toBuffer();
}

export function readKexInit(payload: Buffer): KexInit {
  const reader = new Reader(payload, 1);
  const names = () => {
    const list = reader.readString().toString("latin1").split(",");
    return list.filter((name) => name !== "");
  };
  const lists = {
    cookie: reader.readBytes(16),
    kex: names(),
    hostKey: names(),
    cipherClientToServer: names(),
    cipherServerToClient: names(),
    macClientToServer: names(),
    macServerToClient: names(),
    compressionClientToServer: names(),
    compressionServerToClient: names(),
    languagesClientToServer: names(),
    languagesServerToClient: names(),
  };
  return { ...lists, firstKexPacketFollows: reader.readBoolean() };
}

export const freshCookie = (): Buffer => randomBytes(16);

export interface Disconnect {
  readonly reason: number;
  readonly message: string;
}

export function writeDisconnect(reason: number, message: string): Buffer {
  return new Writer()
    .writeByte(MessageNumber.DISCONNECT)
    .writeUint32(reason)
    .writeString(message)
    .writeString("")
    .toBuffer();
}

export function readDisconnect(payload: Buffer): Disconnect {
  const reader = new Reader(payload, 1);
  return { reason: reader.readUint32(), message: reader.readText() };
}

/** A message that is one string, or nothing, behind its number. */
export function message(number: number, text?: string | Uint8Array): Buffer {
  const writer = new Writer().writeByte(number);
  return (text === undefined ? writer : writer.writeString(text)).toBuffer();
}

export const serviceRequest = (name: string): Buffer => message(MessageNumber.SERVICE_REQUEST, name);
export const ignore = (data: string | Uint8Array = ""): Buffer => message(MessageNumber.IGNORE, data);
export const ping = (data: string | Uint8Array): Buffer => message(MessageNumber.PING, data);

export function debug(text: string): Buffer {
  return new Writer().writeByte(MessageNumber.DEBUG).writeBoolean(false).writeString(text).writeString("").toBuffer();
}

/** SSH_MSG_USERAUTH_REQUEST as far as all methods share it (RFC 4252 §5). */
export function userauthRequest(
  username: string | Uint8Array,
  method: string | Uint8Array,
  service = "ssh-connection",
): Writer {
  return new Writer()
    .writeByte(MessageNumber.USERAUTH_REQUEST)
    .writeString(username)
    .writeString(service)
    .writeString(method);
}

export const noneRequest = (username: string): Buffer => userauthRequest(username, "none").toBuffer();

export const passwordRequest = (username: string, password: string): Buffer =>
  userauthRequest(username, "password").writeBoolean(false).writeString(password).toBuffer();

export const passwordChangeRequest = (username: string, oldPassword: string, newPassword: string): Buffer =>
  userauthRequest(username, "password").writeBoolean(true).writeString(oldPassword).writeString(newPassword).toBuffer();

export const keyboardInteractiveRequest = (username: string, submethods = ""): Buffer =>
  userauthRequest(username, "keyboard-interactive").writeString("").writeString(submethods).toBuffer();

export function infoResponse(responses: readonly string[], count = responses.length): Buffer {
  const writer = new Writer().writeByte(MessageNumber.USERAUTH_INFO_RESPONSE).writeUint32(count);
  for (const response of responses) writer.writeString(response);
  return writer.toBuffer();
}

/** A public key request (RFC 4252 §7), or its host-bound form (OpenSSH PROTOCOL, publickey-hostbound-v00). */
export interface PublickeyRequest {
  readonly username: string;
  readonly service?: string;
  readonly algorithm: string;
  readonly publicBlob: Uint8Array;
  /** Makes the request host-bound, to this server key. */
  readonly hostKey?: Uint8Array;
}

/** The request without a signature: asks whether the key would do. */
export const publickeyQuery = (request: PublickeyRequest): Buffer => publickeyBody(request, "query");

/** The request with a signature: as the RFC has it, over `publickeySignedData`. */
export const publickeyProof = (request: PublickeyRequest, signature: Uint8Array): Buffer =>
  new Writer().writeBytes(publickeyBody(request, "proof")).writeString(signature).toBuffer();

export const publickeySignedData = (sessionId: Uint8Array, request: PublickeyRequest): Buffer =>
  new Writer().writeString(sessionId).writeBytes(publickeyBody(request, "proof")).toBuffer();

function publickeyBody(request: PublickeyRequest, kind: "query" | "proof"): Buffer {
  const method = request.hostKey === undefined ? "publickey" : "publickey-hostbound-v00@openssh.com";
  const writer = userauthRequest(request.username, method, request.service)
    .writeBoolean(kind === "proof")
    .writeString(request.algorithm)
    .writeString(request.publicBlob);
  return (request.hostKey === undefined ? writer : writer.writeString(request.hostKey)).toBuffer();
}

/** SSH_MSG_USERAUTH_FAILURE. */
export interface UserauthFailure {
  readonly methods: readonly string[];
  readonly partialSuccess: boolean;
}

export function readUserauthFailure(payload: Buffer): UserauthFailure {
  const reader = new Reader(payload);
  const number = reader.readByte();
  if (number !== MessageNumber.USERAUTH_FAILURE) throw new Error(`message ${number} where a failure was expected`);
  return { methods: reader.readNameList(), partialSuccess: reader.readBoolean() };
}

export type Reply = "want-reply" | "no-reply";

export const globalRequest = (name: string, reply: Reply, body: Uint8Array = new Uint8Array()): Buffer =>
  new Writer()
    .writeByte(MessageNumber.GLOBAL_REQUEST)
    .writeString(name)
    .writeBoolean(reply === "want-reply")
    .writeBytes(body)
    .toBuffer();

export interface ChannelOpen {
  readonly kind?: string;
  readonly senderChannel?: number;
  readonly window?: number;
  readonly maxPacket?: number;
}

export const channelOpen = (open: ChannelOpen = {}): Buffer =>
  new Writer()
    .writeByte(MessageNumber.CHANNEL_OPEN)
    .writeString(open.kind ?? "session")
    .writeUint32(open.senderChannel ?? 0)
    .writeUint32(open.window ?? 2 * 1024 * 1024)
    .writeUint32(open.maxPacket ?? 32 * 1024)
    .toBuffer();

export const channelRequest = (
  channel: number,
  name: string,
  reply: Reply,
  body: Uint8Array = new Uint8Array(),
): Buffer =>
  new Writer()
    .writeByte(MessageNumber.CHANNEL_REQUEST)
    .writeUint32(channel)
    .writeString(name)
    .writeBoolean(reply === "want-reply")
    .writeBytes(body)
    .toBuffer();

export const execRequest = (channel: number, command: string, reply: Reply = "want-reply"): Buffer =>
  channelRequest(channel, "exec", reply, new Writer().writeString(command).toBuffer());

export const channelData = (channel: number, data: string | Uint8Array): Buffer =>
  new Writer(data.length + 16).writeByte(MessageNumber.CHANNEL_DATA).writeUint32(channel).writeString(data).toBuffer();

export const channelExtendedData = (channel: number, type: number, data: string | Uint8Array): Buffer =>
  new Writer(data.length + 16)
    .writeByte(MessageNumber.CHANNEL_EXTENDED_DATA)
    .writeUint32(channel)
    .writeUint32(type)
    .writeString(data)
    .toBuffer();

export const windowAdjust = (channel: number, bytes: number): Buffer =>
  new Writer().writeByte(MessageNumber.CHANNEL_WINDOW_ADJUST).writeUint32(channel).writeUint32(bytes).toBuffer();

const onChannel =
  (number: number) =>
  (channel: number): Buffer =>
    new Writer().writeByte(number).writeUint32(channel).toBuffer();
export const channelEof = onChannel(MessageNumber.CHANNEL_EOF);
export const channelClose = onChannel(MessageNumber.CHANNEL_CLOSE);

/** The fields of the server's messages on a channel; `recipientChannel` comes first in all of them (RFC 4254 §5). */
export const recipientChannel = (payload: Buffer): number => new Reader(payload, 1).readUint32();

export function readOpenFailure(payload: Buffer): { reason: number; message: string } {
  const reader = new Reader(payload, 5);
  return { reason: reader.readUint32(), message: reader.readText() };
}

/** Sequence number that an UNIMPLEMENTED speaks of. */
export const readUnimplemented = (payload: Buffer): number => new Reader(payload, 1).readUint32();

/** The text of CHANNEL_DATA. */
export const readChannelData = (payload: Buffer): Buffer => new Reader(payload, 5).readString();
