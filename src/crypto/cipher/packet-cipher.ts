/**
 * Protection of packets in one direction, under one set of keys: a cipher together with its MAC. The packet layer
 * knows only these interfaces, so it is one state machine for all ciphers.
 *
 * A packet is `uint32 packet_length, byte padding_length, payload, padding` (RFC 4253 §6), then the tag (a MAC or an
 * AEAD's tag). "Aligned" bytes are those whose count must be a multiple of `blockLength`.
 */
interface PacketProtection {
  /** Padding aligns to this many bytes; at least 8. */
  readonly blockLength: number;
  /** Whether the four length bytes count among the aligned ones: not for AEADs and encrypt-then-MAC. */
  readonly lengthIsAligned: boolean;
  /** Bytes after the padding. */
  readonly tagLength: number;
  /** Packets after which new keys are due at the latest, by the cipher's block size and nonce (RFC 4344 §3). */
  readonly maximumPackets: number;
  /** Bytes after which new keys are due at the latest (RFC 4253 §9, RFC 4344 §3.2). */
  readonly maximumBytes: number;
  /** Overwrites the keys, as far as they are not in the hands of `node:crypto`. Nothing else is called from then on. */
  destroy(): void;
}

/** Outgoing packets. */
export interface PacketSealer extends PacketProtection {
  /**
   * Encrypts in place. `packet` holds the length field, padding length, payload and padding in clear, then
   * `tagLength` bytes of room which receive the tag.
   */
  seal(packet: Buffer, sequenceNumber: number): void;
}

/** Incoming packets. */
export interface PacketOpener extends PacketProtection {
  /** Bytes from the start of a packet that `readLength` needs: 4, or a cipher block where the length is encrypted in one. */
  readonly headerLength: number;
  /** Whether what `open` returns is a view of the packet, which must then be left alone. */
  readonly opensInPlace: boolean;
  /** packet_length, not validated; `header` is at least `headerLength` bytes and not changed. Called once per packet, before `open`. */
  readLength(header: Buffer, sequenceNumber: number): number;
  /**
   * Checks the tag, then decrypts: `packet` holds exactly 4 + packet_length + tagLength bytes and may be overwritten.
   * Returns `padding_length, payload, padding` in clear: a view of `packet` or a buffer of its own, in both cases left
   * alone by the opener from then on.
   *
   * @throws {ProtocolError} with reason MAC_ERROR when the tag is wrong
   */
  open(packet: Buffer, sequenceNumber: number): Buffer;
}

export interface CipherAlgorithm {
  /** Name on the wire. */
  readonly name: string;
  /** Bytes. */
  readonly keyLength: number;
  /** Bytes. */
  readonly ivLength: number;
  /** An AEAD brings its own tag, and the negotiated MAC is ignored. */
  readonly aead: boolean;
  /** `mac` is absent exactly when the cipher is an AEAD. */
  createSealer(keys: CipherKeys): PacketSealer;
  createOpener(keys: CipherKeys): PacketOpener;
}

/** The cipher copies them: the code that has derived them overwrites them afterwards. */
export interface CipherKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly mac?: { readonly algorithm: MacAlgorithm; readonly key: Buffer };
}

export interface MacAlgorithm {
  /** Name on the wire. */
  readonly name: string;
  /** Hash by its `node:crypto` name. */
  readonly hash: "sha256" | "sha512";
  /** Bytes, of the key and of the tag. */
  readonly keyLength: number;
  readonly tagLength: number;
  /** `-etm@openssh.com`: the MAC covers the clear length and the ciphertext (OpenSSH PROTOCOL §1.6). */
  readonly encryptThenMac: boolean;
}

/** @throws {TypeError} where the cipher is to be used without a MAC */
export function requiredMac(name: string, keys: CipherKeys): NonNullable<CipherKeys["mac"]> {
  if (keys.mac === undefined) throw new TypeError(`${name} needs a MAC beside it`);
  return keys.mac;
}
