import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from "node:crypto";
import { PacketHmac } from "./hmac.js";
import { MAXIMUM_BYTES_OF_128_BIT_BLOCKS, MAXIMUM_PACKETS } from "./limits.js";
import { type CipherAlgorithm, type PacketOpener, type PacketSealer, requiredMac } from "./packet-cipher.js";
import { putBack } from "./put-back.js";
import { checkTag } from "./tag.js";

/** AES in counter mode (RFC 4344 §4): one key stream runs through all packets, so each direction keeps its cipher object. */
const BLOCK_LENGTH = 16;
const LENGTH_FIELD = 4;

export const aes128ctr = ctrAlgorithm("aes128-ctr", "aes-128-ctr", 16);
export const aes192ctr = ctrAlgorithm("aes192-ctr", "aes-192-ctr", 24);
export const aes256ctr = ctrAlgorithm("aes256-ctr", "aes-256-ctr", 32);

function ctrAlgorithm(name: string, opensslName: string, keyLength: number): CipherAlgorithm {
  return {
    name,
    keyLength,
    ivLength: BLOCK_LENGTH,
    aead: false,
    createSealer: (keys) => {
      const cipher = createCipheriv(opensslName, keys.key, keys.iv);
      const mac = requiredMac(name, keys);
      const hmac = new PacketHmac(mac.algorithm, mac.key);
      return mac.algorithm.encryptThenMac
        ? new EncryptThenMacSealer(cipher, hmac)
        : new EncryptAndMacSealer(cipher, hmac);
    },
    createOpener: (keys) => {
      const decipher = createDecipheriv(opensslName, keys.key, keys.iv);
      const mac = requiredMac(name, keys);
      const hmac = new PacketHmac(mac.algorithm, mac.key);
      return mac.algorithm.encryptThenMac
        ? new EncryptThenMacOpener(decipher, hmac)
        : new EncryptAndMacOpener(decipher, hmac);
    },
  };
}

abstract class AesCtr {
  readonly blockLength = BLOCK_LENGTH;
  readonly tagLength: number;
  readonly maximumPackets = MAXIMUM_PACKETS;
  readonly maximumBytes = MAXIMUM_BYTES_OF_128_BIT_BLOCKS;
  protected readonly hmac: PacketHmac;

  constructor(hmac: PacketHmac) {
    this.hmac = hmac;
    this.tagLength = hmac.tagLength;
  }

  destroy(): void {
    this.hmac.destroy();
  }
}

/** The length stays in clear; the MAC covers it and the ciphertext (OpenSSH PROTOCOL §1.5). */
class EncryptThenMacSealer extends AesCtr implements PacketSealer {
  readonly lengthIsAligned = false;
  readonly #cipher: Cipher;

  constructor(cipher: Cipher, hmac: PacketHmac) {
    super(hmac);
    this.#cipher = cipher;
  }

  seal(packet: Buffer, sequenceNumber: number): void {
    const end = packet.length - this.tagLength;
    putBack(this.#cipher.update(packet.subarray(LENGTH_FIELD, end)), packet, LENGTH_FIELD);
    packet.set(this.hmac.compute(sequenceNumber, packet.subarray(0, end)), end);
  }
}

class EncryptThenMacOpener extends AesCtr implements PacketOpener {
  readonly lengthIsAligned = false;
  readonly headerLength = LENGTH_FIELD;
  readonly opensInPlace = false;
  readonly #decipher: Decipher;

  constructor(decipher: Decipher, hmac: PacketHmac) {
    super(hmac);
    this.#decipher = decipher;
  }

  readLength(header: Buffer): number {
    return header.readUInt32BE(0);
  }

  open(packet: Buffer, sequenceNumber: number): Buffer {
    const end = packet.length - this.tagLength;
    checkTag(packet.subarray(end), this.hmac.compute(sequenceNumber, packet.subarray(0, end)));
    return this.#decipher.update(packet.subarray(LENGTH_FIELD, end));
  }
}

/** All of the packet is encrypted, the length too; the MAC covers the clear packet (RFC 4253 §6.4). */
class EncryptAndMacSealer extends AesCtr implements PacketSealer {
  readonly lengthIsAligned = true;
  readonly #cipher: Cipher;

  constructor(cipher: Cipher, hmac: PacketHmac) {
    super(hmac);
    this.#cipher = cipher;
  }

  seal(packet: Buffer, sequenceNumber: number): void {
    const clear = packet.subarray(0, packet.length - this.tagLength);
    packet.set(this.hmac.compute(sequenceNumber, clear), clear.length);
    putBack(this.#cipher.update(clear), packet, 0);
  }
}

class EncryptAndMacOpener extends AesCtr implements PacketOpener {
  readonly lengthIsAligned = true;
  readonly headerLength = BLOCK_LENGTH;
  readonly opensInPlace = true;
  readonly #decipher: Decipher;
  /** In clear, from `readLength` until `open`. */
  #firstBlock: Buffer = Buffer.alloc(0);

  constructor(decipher: Decipher, hmac: PacketHmac) {
    super(hmac);
    this.#decipher = decipher;
  }

  readLength(header: Buffer): number {
    this.#firstBlock = this.#decipher.update(header.subarray(0, BLOCK_LENGTH));
    return this.#firstBlock.readUInt32BE(0);
  }

  open(packet: Buffer, sequenceNumber: number): Buffer {
    const end = packet.length - this.tagLength;
    const rest = this.#decipher.update(packet.subarray(BLOCK_LENGTH, end));
    checkTag(packet.subarray(end), this.hmac.compute(sequenceNumber, this.#firstBlock, rest));
    packet.set(this.#firstBlock);
    putBack(rest, packet, BLOCK_LENGTH);
    return packet.subarray(LENGTH_FIELD, end);
  }
}
