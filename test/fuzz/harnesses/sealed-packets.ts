import { nativeAlgorithm } from "../../../src/crypto/cipher/native/native-packets.js";
import type { CipherAlgorithm, CipherKeys, PacketSealer } from "../../../src/crypto/cipher/packet-cipher.js";
import { packetPath } from "../../../src/crypto/cipher/packet-path.js";
import { portableCiphers } from "../../../src/crypto/cipher/portable-ciphers.js";
import { macAlgorithms } from "../../../src/crypto/cipher/registry.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { PacketReader } from "../../../src/transport/packet-reader.js";
import { rightPadding } from "../../support/packet-framing.js";
import { assertEqual, assertTrue, type Harness } from "../engine/harness.js";
import { cutInChunks, joinMessages, splitMessages } from "../support/messages.js";

/** Bytes of a payload that is made long, so that it is opened where it lies in two chunks. */
const LONG_PAYLOAD = 9_000;

interface Suite {
  /** By node:crypto and, where it is built, by the addon. */
  readonly paths: readonly CipherAlgorithm[];
  readonly keys: CipherKeys;
}

const { addon } = packetPath();

const suites: readonly Suite[] = portableCiphers.flatMap((cipher): Suite[] => {
  const paths = addon === undefined ? [cipher] : [cipher, nativeAlgorithm(cipher, addon)];
  const keys = { key: Buffer.alloc(cipher.keyLength, "key"), iv: Buffer.alloc(cipher.ivLength, 0xff) };
  if (cipher.aead) return [{ paths, keys }];
  return [...macAlgorithms.values()].map((algorithm) => ({
    paths,
    keys: { ...keys, mac: { algorithm, key: Buffer.alloc(algorithm.keyLength, "mac") } },
  }));
});

/** The padding is zeros: the same for both paths. */
function sealed(sealer: PacketSealer, sequenceNumber: number, payload: Buffer): Buffer {
  const padding = rightPadding(sealer, payload.length);
  const packet = Buffer.alloc(5 + payload.length + padding + sealer.tagLength);
  packet.writeUInt32BE(1 + payload.length + padding);
  packet.writeUInt8(padding, 4);
  packet.set(payload, 5);
  sealer.seal(packet, sequenceNumber);
  return packet;
}

/** All payloads up to an error, and what that was. */
function read(
  cipher: CipherAlgorithm,
  keys: CipherKeys,
  chunks: readonly Buffer[],
): { payloads: Buffer; error: string } {
  const reader = new PacketReader(cipher.createOpener(keys));
  const payloads: Buffer[] = [];
  let error = "";
  try {
    for (const chunk of chunks) {
      const lent = Buffer.from(chunk);
      reader.push(lent);
      for (let payload = reader.next(); payload !== undefined; payload = reader.next()) {
        payloads.push(Buffer.from(payload));
      }
      reader.keep();
      lent.fill(0xff);
    }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    error = cause.message;
  }
  return { payloads: Buffer.concat(payloads), error };
}

/** Packets sealed by both paths, changed on their way, and opened by both. */
export const harness: Harness = {
  name: "sealed-packets",
  seeds: suites.flatMap((_, index) => [
    Buffer.concat([Buffer.of(index, 40), joinMessages([Buffer.alloc(0), Buffer.from("one"), Buffer.from([1, 2])])]),
    Buffer.concat([Buffer.of(index, 70), joinMessages([Buffer.of(0, 30, 1), Buffer.of(255, 3), Buffer.of(4)])]),
  ]),
  maximumLength: 512,
  shortRun: 1000,
  /** Suite, where the stream is cut in two, then the changes, and the payloads: those that begin with 255 are made long. */
  run(bytes) {
    const suite = suites[(bytes[0] ?? 0) % suites.length];
    const [changes = Buffer.alloc(0), ...contents] = splitMessages(bytes.subarray(2));
    if (suite === undefined) return;
    const payloads = contents
      .filter(({ length }) => length > 0)
      .map((content) => (content[0] === 255 ? Buffer.alloc(LONG_PAYLOAD, content) : content));
    const [stream = Buffer.alloc(0), other = stream] = suite.paths.map((cipher) => {
      const sealer = cipher.createSealer(suite.keys);
      return Buffer.concat(payloads.map((payload, index) => sealed(sealer, index, payload)));
    });
    assertEqual(other, stream, "the paths seal differently");
    for (let offset = 0; offset + 3 <= changes.length && stream.length > 0; offset += 3) {
      const place = changes.readUInt16BE(offset) % stream.length;
      stream[place] = (stream[place] ?? 0) ^ (changes[offset + 2] ?? 0);
    }
    const cut = Math.trunc((stream.length * (bytes[1] ?? 0)) / 256);
    const ways = [[stream], [stream.subarray(0, cut), stream.subarray(cut)], cutInChunks(stream)];
    const [first, ...results] = suite.paths.flatMap((cipher) => ways.map((chunks) => read(cipher, suite.keys, chunks)));
    for (const { payloads: opened, error } of results) {
      assertEqual(opened, first?.payloads ?? opened, "the payloads differ");
      assertTrue(error === first?.error, "the errors differ");
    }
    if (changes.length < 3) assertEqual(first?.payloads ?? Buffer.alloc(0), Buffer.concat(payloads), "what was sealed");
  },
};
