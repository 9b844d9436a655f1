import type { Addon, AddonOpener, AddonSealer, HoldsKeys, NativeKeys } from "../../../base/addon.js";
import { MAXIMUM_BYTES_OF_128_BIT_BLOCKS, MAXIMUM_PACKETS } from "../limits.js";
import {
  type CipherAlgorithm,
  type CipherKeys,
  type PacketOpener,
  type PacketSealer,
  requiredMac,
} from "../packet-cipher.js";
import { wrongTag } from "../tag.js";

const LENGTH_FIELD = 4;
const AEAD_TAG_LENGTH = 16;
const AES_BLOCK_LENGTH = 16;
const CHACHA20_ALIGNMENT = 8;
const NO_MAC_KEY = Buffer.alloc(0);

/** The same cipher, by the addon. */
export function nativeAlgorithm(algorithm: CipherAlgorithm, { Sealer, Opener }: Addon): CipherAlgorithm {
  return {
    ...algorithm,
    createSealer: (keys) => {
      const own = nativeKeys(algorithm, keys);
      return new NativeSealer(own, keys, new Sealer(...own));
    },
    createOpener: (keys) => {
      const own = nativeKeys(algorithm, keys);
      return new NativeOpener(own, keys, new Opener(...own));
    },
  };
}

function nativeKeys({ name, aead }: CipherAlgorithm, keys: CipherKeys): NativeKeys {
  if (!aead) {
    const { algorithm, key } = requiredMac(name, keys);
    return [algorithm.encryptThenMac ? "aes-ctr encrypt-then-mac" : "aes-ctr encrypt-and-mac", keys.key, keys.iv, key];
  }
  return [name.startsWith("aes") ? "aes-gcm" : "chacha20-poly1305", keys.key, keys.iv, NO_MAC_KEY];
}

abstract class NativePackets {
  readonly blockLength: number;
  readonly lengthIsAligned: boolean;
  readonly tagLength: number;
  readonly maximumPackets = MAXIMUM_PACKETS;
  readonly maximumBytes: number;

  readonly #holder: HoldsKeys;

  constructor([cipher]: NativeKeys, { mac }: CipherKeys, holder: HoldsKeys) {
    this.#holder = holder;
    const isAes = cipher !== "chacha20-poly1305";
    this.blockLength = isAes ? AES_BLOCK_LENGTH : CHACHA20_ALIGNMENT;
    this.lengthIsAligned = cipher === "aes-ctr encrypt-and-mac";
    this.tagLength = mac?.algorithm.tagLength ?? AEAD_TAG_LENGTH;
    this.maximumBytes = isAes ? MAXIMUM_BYTES_OF_128_BIT_BLOCKS : Number.POSITIVE_INFINITY;
  }

  destroy(): void {
    this.#holder.destroy();
  }
}

class NativeSealer extends NativePackets implements PacketSealer {
  readonly #addon: AddonSealer;

  constructor(own: NativeKeys, keys: CipherKeys, addon: AddonSealer) {
    super(own, keys, addon);
    this.#addon = addon;
  }

  seal(packet: Buffer, sequenceNumber: number): void {
    this.#addon.seal(packet, 0, packet.length, sequenceNumber);
  }
}

class NativeOpener extends NativePackets implements PacketOpener {
  readonly headerLength: number;
  readonly opensInPlace = true;
  readonly #addon: AddonOpener;
  /** The length comes as it is. */
  readonly #lengthIsClear: boolean;

  constructor(own: NativeKeys, keys: CipherKeys, addon: AddonOpener) {
    super(own, keys, addon);
    const [cipher] = own;
    this.headerLength = this.lengthIsAligned ? AES_BLOCK_LENGTH : LENGTH_FIELD;
    this.#lengthIsClear = cipher === "aes-gcm" || cipher === "aes-ctr encrypt-then-mac";
    this.#addon = addon;
  }

  readLength(header: Buffer, sequenceNumber: number): number {
    return this.#lengthIsClear ? header.readUInt32BE(0) : this.#addon.readLength(header, 0, sequenceNumber);
  }

  open(packet: Buffer, sequenceNumber: number): Buffer {
    if (!this.#addon.open(packet, 0, packet.length, sequenceNumber)) throw wrongTag();
    return packet.subarray(LENGTH_FIELD, packet.length - this.tagLength);
  }
}
