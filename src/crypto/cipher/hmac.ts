import { createHmac } from "node:crypto";
import { ownCopy } from "./own-copy.js";
import type { MacAlgorithm } from "./packet-cipher.js";

export const hmacSha256Etm: MacAlgorithm = {
  name: "hmac-sha2-256-etm@openssh.com",
  hash: "sha256",
  keyLength: 32,
  tagLength: 32,
  encryptThenMac: true,
};

export const hmacSha512Etm: MacAlgorithm = {
  name: "hmac-sha2-512-etm@openssh.com",
  hash: "sha512",
  keyLength: 64,
  tagLength: 64,
  encryptThenMac: true,
};

/** RFC 6668 */
export const hmacSha256: MacAlgorithm = { ...hmacSha256Etm, name: "hmac-sha2-256", encryptThenMac: false };
export const hmacSha512: MacAlgorithm = { ...hmacSha512Etm, name: "hmac-sha2-512", encryptThenMac: false };

/** One direction's MAC under one key. */
export class PacketHmac {
  readonly tagLength: number;
  readonly #hash: MacAlgorithm["hash"];
  readonly #key: Buffer;

  constructor(algorithm: MacAlgorithm, key: Buffer) {
    this.tagLength = algorithm.tagLength;
    this.#hash = algorithm.hash;
    this.#key = ownCopy(key);
  }

  destroy(): void {
    this.#key.fill(0);
  }

  /** The tag over `uint32 sequence_number, parts` (RFC 4253 §6.4). */
  compute(sequenceNumber: number, ...parts: readonly Buffer[]): Buffer {
    sequenceField.writeUInt32BE(sequenceNumber, 0);
    const hmac = createHmac(this.#hash, this.#key).update(sequenceField);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}

/** Written and read within one call, so that one serves all connections. */
const sequenceField = Buffer.alloc(4);
