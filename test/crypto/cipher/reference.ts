import { createCipheriv, createHash } from "node:crypto";

/** The same algorithms built another way, slow and plain, to compare with. */

const littleEndian = (bytes: Buffer): bigint =>
  BigInt(`0x${Buffer.from(bytes).reverse().toString("hex").padEnd(2, "0")}`);

/** RFC 8439 §2.5, as its text has it. */
export function referencePoly1305(key: Buffer, data: Buffer): Buffer {
  const p = 2n ** 130n - 5n;
  const r = littleEndian(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let accumulator = 0n;
  for (let offset = 0; offset < data.length; offset += 16) {
    const block = Buffer.concat([data.subarray(offset, offset + 16), Buffer.of(1)]);
    accumulator = ((accumulator + littleEndian(block)) * r) % p;
  }
  const tag = (accumulator + littleEndian(key.subarray(16, 32))) % 2n ** 128n;
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}

/** The first `length` bytes of ChaCha20's key stream, from block 0. */
export function chacha20KeyStream(key: Buffer, sequenceNumber: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(sequenceNumber, 12);
  return createCipheriv("chacha20", key, iv).update(Buffer.alloc(length));
}

/** The key stream of AES in counter mode: each counter value encrypted by itself. */
export function aesCtrKeyStream(key: Buffer, iv: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  const initial = BigInt(`0x${iv.toString("hex")}`);
  for (let index = 0n; Number(index) * 16 < length; index++) {
    const counter = (initial + index) % 2n ** 128n;
    const ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
    blocks.push(ecb.update(Buffer.from(counter.toString(16).padStart(32, "0"), "hex")));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** RFC 2104, for keys not longer than the hash's block. */
export function referenceHmac(hash: "sha256" | "sha512", key: Buffer, data: Buffer): Buffer {
  const pad = (byte: number) =>
    xor(Buffer.concat([key, Buffer.alloc(128)]), Buffer.alloc(hash === "sha256" ? 64 : 128, byte));
  const digest = (...parts: Buffer[]) => createHash(hash).update(Buffer.concat(parts)).digest();
  return digest(pad(0x5c), digest(pad(0x36), data));
}

/** As long as the second. */
export function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(right.map((byte, index) => byte ^ (left[index] ?? 0)));
}
