import type { Steps } from "../../base/time-slices.js";

/** Compression of packet payloads: one entry of the registry (RFC 4253 §6.2). */
export interface CompressionAlgorithm {
  /** Name on the wire. */
  readonly name: string;
  /** `undefined` where nothing is compressed. */
  createCompressor(): Compressor | undefined;
  createDecompressor(): Decompressor | undefined;
}

/** One direction's stream: the dictionary runs over all its packets. */
export interface Compressor {
  compress(payload: Buffer): Buffer;
}

export interface Decompressor {
  /**
   * Inflates one packet, to its end before the next one.
   *
   * @param payload is lent until this returns
   * @throws {ProtocolError} with reason COMPRESSION_ERROR for bad data, or as soon as the result exceeds
   * `maximumLength` bytes, without having allocated for more
   */
  decompress(payload: Buffer, maximumLength: number): Steps<Buffer>;
}
