import { type ChaCha20, chacha20 } from "./chacha20.js";
import { MAXIMUM_PACKETS } from "./limits.js";
import { ownCopy } from "./own-copy.js";
import type { CipherAlgorithm, CipherKeys, PacketOpener, PacketSealer } from "./packet-cipher.js";
import { authenticate, POLY1305_TAG_LENGTH, type Poly1305 } from "./poly1305.js";
import { checkTag } from "./tag.js";

/** The two functions that the cipher is made of. */
export interface ChaCha20Poly1305Primitives {
  readonly chacha20: ChaCha20;
  readonly authenticate: Poly1305;
}

/** As OpenSSH's PROTOCOL.chacha20poly1305 defines it. */
export const chacha20poly1305 = chacha20Poly1305Algorithm({ chacha20, authenticate });

export function chacha20Poly1305Algorithm(primitives: ChaCha20Poly1305Primitives): CipherAlgorithm {
  return {
    name: "chacha20-poly1305@openssh.com",
    keyLength: 64,
    ivLength: 0,
    aead: true,
    createSealer: (keys) => new ChaCha20Poly1305Sealer(keys, primitives),
    createOpener: (keys) => new ChaCha20Poly1305Opener(keys, primitives),
  };
}

const LENGTH_FIELD = 4;
const KEY_LENGTH = 32;

/** Blocks of a packet's key stream under K_2: the first one gives the Poly1305 key, the payload starts with the next. */
const POLY1305_KEY_BLOCK = 0;
const PAYLOAD_BLOCK = 1;
/** The length is encrypted on its own under K_1. */
const LENGTH_BLOCK = 0;

/** Written and read within one call, so that one of each serves all connections. */
const nonce = Buffer.alloc(8);
const lengthField = Buffer.alloc(LENGTH_FIELD);
const poly1305Key = Buffer.alloc(KEY_LENGTH);
const computedTag = Buffer.alloc(POLY1305_TAG_LENGTH);

abstract class ChaCha20Poly1305 {
  readonly blockLength = 8;
  readonly lengthIsAligned = false;
  readonly tagLength = POLY1305_TAG_LENGTH;
  readonly maximumPackets = MAXIMUM_PACKETS;
  /** Each packet has its own nonce, so only their number counts. */
  readonly maximumBytes = Number.POSITIVE_INFINITY;
  protected readonly primitives: ChaCha20Poly1305Primitives;
  /** K_2 */
  readonly #payloadKey: Buffer;
  /** K_1 */
  readonly #lengthKey: Buffer;

  constructor(keys: CipherKeys, primitives: ChaCha20Poly1305Primitives) {
    this.primitives = primitives;
    const key = ownCopy(keys.key);
    this.#payloadKey = key.subarray(0, KEY_LENGTH);
    this.#lengthKey = key.subarray(KEY_LENGTH, 2 * KEY_LENGTH);
  }

  destroy(): void {
    this.#payloadKey.fill(0);
    this.#lengthKey.fill(0);
  }

  protected cryptLength(field: Buffer, sequenceNumber: number): void {
    nonce.writeUInt32BE(sequenceNumber, 4);
    this.primitives.chacha20(field, nonce, LENGTH_BLOCK, this.#lengthKey);
  }

  protected cryptPayload(data: Buffer, sequenceNumber: number): void {
    nonce.writeUInt32BE(sequenceNumber, 4);
    this.primitives.chacha20(data, nonce, PAYLOAD_BLOCK, this.#payloadKey);
  }

  /** Writes the tag of the encrypted length and payload. */
  protected writeTag(tag: Buffer, ciphertext: Buffer, sequenceNumber: number): void {
    nonce.writeUInt32BE(sequenceNumber, 4);
    poly1305Key.fill(0);
    this.primitives.chacha20(poly1305Key, nonce, POLY1305_KEY_BLOCK, this.#payloadKey);
    this.primitives.authenticate(tag, ciphertext, poly1305Key);
  }
}

class ChaCha20Poly1305Sealer extends ChaCha20Poly1305 implements PacketSealer {
  seal(packet: Buffer, sequenceNumber: number): void {
    const end = packet.length - POLY1305_TAG_LENGTH;
    this.cryptLength(packet.subarray(0, LENGTH_FIELD), sequenceNumber);
    this.cryptPayload(packet.subarray(LENGTH_FIELD, end), sequenceNumber);
    this.writeTag(packet.subarray(end), packet.subarray(0, end), sequenceNumber);
  }
}

class ChaCha20Poly1305Opener extends ChaCha20Poly1305 implements PacketOpener {
  readonly headerLength = LENGTH_FIELD;
  readonly opensInPlace = true;

  readLength(header: Buffer, sequenceNumber: number): number {
    lengthField.set(header.subarray(0, LENGTH_FIELD));
    this.cryptLength(lengthField, sequenceNumber);
    return lengthField.readUInt32BE(0);
  }

  open(packet: Buffer, sequenceNumber: number): Buffer {
    const end = packet.length - POLY1305_TAG_LENGTH;
    this.writeTag(computedTag, packet.subarray(0, end), sequenceNumber);
    checkTag(packet.subarray(end), computedTag);
    const clear = packet.subarray(LENGTH_FIELD, end);
    this.cryptPayload(clear, sequenceNumber);
    return clear;
  }
}
