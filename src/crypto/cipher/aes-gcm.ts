import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import { MAXIMUM_BYTES_OF_128_BIT_BLOCKS, MAXIMUM_PACKETS } from "./limits.js";
import { ownCopy } from "./own-copy.js";
import type { CipherAlgorithm, CipherKeys, PacketOpener, PacketSealer } from "./packet-cipher.js";
import { putBack } from "./put-back.js";
import { wrongTag } from "./tag.js";

/**
 * AES-GCM as RFC 5647 and OpenSSH PROTOCOL §1.6 put it: the length is sent in clear and authenticated as additional
 * data. The nonce is the derived IV, whose last eight bytes count the packets; the sequence number has no part in it.
 */
const IV_LENGTH = 12;
const COUNTER_OFFSET = 4;
const LENGTH_FIELD = 4;
const TAG_LENGTH = 16;
const OPTIONS = { authTagLength: TAG_LENGTH } as const;

export const aes128gcm = gcmAlgorithm("aes128-gcm@openssh.com", "aes-128-gcm", 16);
export const aes256gcm = gcmAlgorithm("aes256-gcm@openssh.com", "aes-256-gcm", 32);

function gcmAlgorithm(name: string, opensslName: CipherGCMTypes, keyLength: number): CipherAlgorithm {
  return {
    name,
    keyLength,
    ivLength: IV_LENGTH,
    aead: true,
    createSealer: (keys) => new AesGcmSealer(opensslName, keys),
    createOpener: (keys) => new AesGcmOpener(opensslName, keys),
  };
}

abstract class AesGcm {
  readonly blockLength = 16;
  readonly lengthIsAligned = false;
  readonly tagLength = TAG_LENGTH;
  readonly maximumPackets = MAXIMUM_PACKETS;
  readonly maximumBytes = MAXIMUM_BYTES_OF_128_BIT_BLOCKS;
  protected readonly opensslName: CipherGCMTypes;
  protected readonly key: Buffer;
  protected readonly iv: Buffer;

  constructor(opensslName: CipherGCMTypes, keys: CipherKeys) {
    this.opensslName = opensslName;
    this.key = ownCopy(keys.key);
    this.iv = ownCopy(keys.iv);
  }

  destroy(): void {
    this.key.fill(0);
    this.iv.fill(0);
  }
}

class AesGcmSealer extends AesGcm implements PacketSealer {
  seal(packet: Buffer): void {
    const end = packet.length - TAG_LENGTH;
    const cipher = createCipheriv(this.opensslName, this.key, this.iv, OPTIONS);
    advance(this.iv);
    cipher.setAAD(packet.subarray(0, LENGTH_FIELD));
    putBack(cipher.update(packet.subarray(LENGTH_FIELD, end)), packet, LENGTH_FIELD);
    cipher.final();
    packet.set(cipher.getAuthTag(), end);
  }
}

class AesGcmOpener extends AesGcm implements PacketOpener {
  readonly headerLength = LENGTH_FIELD;
  readonly opensInPlace = false;

  readLength(header: Buffer): number {
    return header.readUInt32BE(0);
  }

  open(packet: Buffer): Buffer {
    const end = packet.length - TAG_LENGTH;
    const decipher = createDecipheriv(this.opensslName, this.key, this.iv, OPTIONS);
    advance(this.iv);
    try {
      decipher.setAuthTag(packet.subarray(end));
      decipher.setAAD(packet.subarray(0, LENGTH_FIELD));
      const clear = decipher.update(packet.subarray(LENGTH_FIELD, end));
      decipher.final();
      return clear;
    } catch {
      throw wrongTag();
    }
  }
}

/** Adds one to the invocation counter: eight bytes, big-endian, wrapping (RFC 5647 §7.1). */
function advance(iv: Buffer): void {
  for (let index = IV_LENGTH - 1; index >= COUNTER_OFFSET; index--) {
    const byte = ((iv[index] ?? 0) + 1) & 0xff;
    iv[index] = byte;
    if (byte !== 0) return;
  }
}
