import { afterAll } from "vitest";
import { zlibDelayed } from "../../../src/crypto/compression/zlib.js";
import { PacketAssembler } from "../../../src/sftp/codec/packet-assembler.js";
import { PacketReader } from "../../../src/transport/packet-reader.js";
import { Transport } from "../../../src/transport/transport.js";
import { ConnectionRecord, storeCompressed, storeRequests } from "./records.js";

// Looks at what clients send to every server of this process, behind its decryption.

/** Bytes, and messages, of which a recording consists at most. */
const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_MESSAGES = 200;

const connections = new Map<PacketReader, ConnectionRecord>();
const records = new WeakMap<Transport, ConnectionRecord>();
const requests = new Map<PacketAssembler, Buffer[]>();
const compressed: Buffer[][] = [];
let receiving: ConnectionRecord | undefined;

/** Keeps messages as long as there is room. */
function add(messages: Buffer[], message: Buffer): void {
  const length = messages.reduce((sum, { length }) => sum + length, message.length);
  if (messages.length < MAXIMUM_MESSAGES && length <= MAXIMUM_BYTES) messages.push(Buffer.from(message));
}

const { receive } = Transport.prototype;
Transport.prototype.receive = function (chunk) {
  const record = records.get(this) ?? new ConnectionRecord();
  records.set(this, record);
  if (record.start.length < MAXIMUM_BYTES && !record.isEncrypted) record.start.push(Buffer.from(chunk));
  receiving = record;
  receive.call(this, chunk);
};

const { next, push } = PacketReader.prototype;
PacketReader.prototype.push = function (chunk) {
  if (receiving !== undefined && !connections.has(this)) connections.set(this, receiving);
  push.call(this, chunk);
};
PacketReader.prototype.next = function () {
  const payload = next.call(this);
  const record = connections.get(this);
  if (payload !== undefined && record !== undefined) add(record.payloads, payload);
  return payload;
};

const { next: nextRequest } = PacketAssembler.prototype;
PacketAssembler.prototype.next = function () {
  const packet = nextRequest.call(this);
  const session = requests.get(this) ?? [];
  requests.set(this, session);
  if (packet !== undefined) add(session, packet.bytes);
  return packet;
};

const { createDecompressor } = zlibDelayed;
zlibDelayed.createDecompressor = () => {
  const decompressor = createDecompressor.call(zlibDelayed);
  const stream: Buffer[] = [];
  compressed.push(stream);
  return (
    decompressor && {
      decompress(payload, maximumLength) {
        add(stream, payload);
        return decompressor.decompress(payload, maximumLength);
      },
    }
  );
};

afterAll(() => {
  for (const record of connections.values()) record.store();
  for (const session of requests.values()) storeRequests(session);
  for (const stream of compressed) storeCompressed(stream);
});
