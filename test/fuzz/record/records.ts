import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { PacketType } from "../../../src/sftp/codec/constants.js";
import { committedFolder } from "../engine/corpus.js";
import { refusable } from "../engine/harness.js";
import { joinMessages } from "../support/messages.js";

/** Bytes of one input, and of data within messages. */
const MAXIMUM_INPUT = 3000;
const MAXIMUM_DATA = 48;

/** Messages of one dialogue: what comes after is more of the same. */
const MAXIMUM_DIALOGUE = 32;

/** Keeps one input for each kind of input, so that the corpus stays small whatever clients do over and over. */
export function keep(harness: string, kind: string, input: Uint8Array): void {
  if (input.length > MAXIMUM_INPUT) return;
  const folder = committedFolder(harness);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, createHash("sha256").update(kind).digest("hex").slice(0, 16)), input);
}

/** Keeps a dialogue under the kinds of messages that it consists of, repetitions left out. */
function keepDialogue(
  harness: string,
  messages: readonly Buffer[],
  kindOf: (message: Buffer) => string,
  head?: Buffer,
) {
  if (messages.length === 0) return;
  const start = messages.slice(0, MAXIMUM_DIALOGUE);
  const kind = [...new Set(start.map(kindOf))].sort().join();
  keep(harness, kind, Buffer.concat([head ?? Buffer.alloc(0), joinMessages(start)]));
}

/** All that one client sent. */
export class ConnectionRecord {
  /** As it came from the network, up to NEWKEYS. */
  readonly start: Buffer[] = [];
  readonly payloads: Buffer[] = [];

  get isEncrypted(): boolean {
    return this.payloads.some(([number]) => number === MessageNumber.NEWKEYS);
  }

  store(): void {
    const start = Buffer.concat(this.start);
    const line = start.subarray(0, start.indexOf("\n") + 1);
    const kexInit = this.payloads.find(([number]) => number === MessageNumber.KEXINIT);
    const offers = kexInit?.subarray(17, 200).toString("latin1");
    keep("identification", line.toString("latin1"), line);
    keep("transport", `${line} ${offers}`, start);
    keep("packets", `${offers}`, start.subarray(line.length));
    // Those that are compressed are not messages.
    const readable = this.payloads.filter((payload) => refusable(() => kindOf(payload), ProtocolError) !== undefined);
    for (const payload of readable) storeMessage(payload);
    const plain = readable.filter(([number = 0]) => number >= MessageNumber.USERAUTH_REQUEST).map(shortened);
    const firstOfChannels = plain.findIndex(([number = 0]) => number >= MessageNumber.GLOBAL_REQUEST);
    const logins = firstOfChannels === -1 ? plain : plain.slice(0, firstOfChannels);
    keepDialogue("authentication", logins, kindOf);
    if (firstOfChannels !== -1) keepDialogue("channels", plain.slice(firstOfChannels), kindOf, Buffer.of(0));
    this.#storeSCP(readable);
  }

  #storeSCP(readable: readonly Buffer[]): void {
    const requests = readable.filter((payload) => kindOf(payload) === "98 exec");
    const command = requests[0] && new Reader(requests[0], requests[0].indexOf("exec") + 5).readString();
    if (command === undefined || !/^scp /.test(command.toString("latin1"))) return;
    const text = command.toString("latin1");
    keep("scp-command", text, command);
    const data = readable.filter(([number]) => number === MessageNumber.CHANNEL_DATA);
    const pieces = data.map((payload) => payload.subarray(9)).slice(0, MAXIMUM_DIALOGUE);
    const options = text.replace(/ (-[tf]|--) .*/s, "");
    if (/ -t /.test(text)) {
      const shape = pieces.map((piece) => piece.toString("latin1", 0, 1)).join("");
      keep("scp-sink", `${options} ${shape}`, Buffer.concat([Buffer.of(sinkOptions(text)), joinMessages(pieces)]));
      for (const piece of pieces) storeRecord(piece);
    } else {
      keep("scp-source", text, joinMessages([command, ...pieces]));
    }
  }
}

/** The byte that chooses these options in the harness `scp-sink`. */
function sinkOptions(command: string): number {
  const has = (option: string) => command.includes(` -${option} `);
  if (has("d")) return 4;
  return (has("r") ? 1 : 0) + (has("p") ? 2 : 0);
}

function storeRecord(piece: Buffer): void {
  const line = piece.toString("latin1").split("\n", 1)[0] ?? "";
  if (/^[CDTE]/.test(line) && line.length + 1 === piece.length) keep("scp-record", line, Buffer.from(line, "latin1"));
}

function storeMessage(payload: Buffer): void {
  const kind = kindOf(payload);
  keep("messages", kind, shortened(payload));
  if (kind === "98 pty-req") {
    const reader = new Reader(payload, payload.indexOf("pty-req") + 8);
    reader.readString();
    reader.readBytes(16);
    const modes = reader.readString();
    keep("terminal-modes", modes.toString("hex"), modes);
  }
}

/** What tells this message from others: its number, and the names in it. */
function kindOf(payload: Buffer): string {
  const number = payload[0] ?? 0;
  const reader = new Reader(payload, 1);
  switch (number) {
    case MessageNumber.USERAUTH_REQUEST: {
      reader.readString();
      reader.readString();
      const method = reader.readText();
      if (!method.startsWith("publickey")) return `${number} ${method} ${payload.length > 60}`;
      const signed = reader.readBoolean();
      return `${number} ${method} ${signed} ${reader.readText()}`;
    }
    case MessageNumber.GLOBAL_REQUEST:
    case MessageNumber.CHANNEL_OPEN:
      return `${number} ${reader.readText()}`;
    case MessageNumber.CHANNEL_REQUEST:
      reader.readUint32();
      return `${number} ${reader.readText()}`;
    case MessageNumber.KEXINIT:
      return `${number} ${payload.toString("latin1", 17, 120)}`;
    case MessageNumber.CHANNEL_DATA:
      return `${number}`;
    default:
      return `${number} ${Math.ceil(payload.length / 64)}`;
  }
}

/** The same message with less data. */
function shortened(payload: Buffer): Buffer {
  if (payload[0] !== MessageNumber.CHANNEL_DATA || payload.length <= 9 + MAXIMUM_DATA) return payload;
  return new Writer()
    .writeBytes(payload.subarray(0, 5))
    .writeString(payload.subarray(9, 9 + MAXIMUM_DATA))
    .toBuffer();
}

/** Keeps what one session of SFTP asked for. */
export function storeRequests(packets: readonly Buffer[]): void {
  const asked = packets.filter(([type]) => type !== PacketType.INIT).map(shortenedWrite);
  keepDialogue("sftp", asked, requestKind);
  const whole = packets.slice(0, 8).map((body) => new Writer().writeString(body).toBuffer());
  keep("sftp-packets", `${packets.length % 8}`, Buffer.concat(whole));
}

function requestKind(packet: Buffer): string {
  const type = packet[0] ?? 0;
  return type === PacketType.EXTENDED ? `${type} ${new Reader(packet, 5).readString()}` : `${type}`;
}

function shortenedWrite(packet: Buffer): Buffer {
  if (packet[0] !== PacketType.WRITE) return packet;
  const reader = new Reader(packet, 5);
  reader.readString();
  reader.readUint64();
  const { offset } = reader;
  const data = reader.readString();
  if (data.length <= MAXIMUM_DATA) return packet;
  return new Writer().writeBytes(packet.subarray(0, offset)).writeString(data.subarray(0, MAXIMUM_DATA)).toBuffer();
}

/** Keeps what one client compressed. */
export function storeCompressed(payloads: readonly Buffer[]): void {
  const small = payloads.slice(0, 12);
  if (small.length > 0) keep("compression", `${small.length} ${small[0]?.length}`, joinMessages(small));
}
