import { countShortLivedBuffer } from "../base/young-collections.js";
import type { PacketOpener } from "../crypto/cipher/packet-cipher.js";
import { MAX_PACKET_LENGTH } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { KeptBytes } from "./kept-bytes.js";
import { PacketCounts } from "./packet-counts.js";

const NOTHING = Buffer.alloc(0);

/**
 * Cuts the incoming byte stream into packets and opens them (RFC 4253 §6). Chunks are only lent: a packet that lies whole in
 * one is opened where it lies, and what is left of a chunk is copied before its memory is used again.
 */
export class PacketReader {
  #opener: PacketOpener;
  readonly #counts = new PacketCounts();
  /** The bytes that came before `#chunk`. */
  readonly #kept = new KeptBytes();
  /** What has come last, and is only lent; the bytes before `#offset` are done with. */
  #chunk: Buffer = NOTHING;
  #offset = 0;
  /** Length of the packet that comes next, with length field and tag, once its header was read. */
  #packetLength = 0;

  constructor(opener: PacketOpener) {
    this.#opener = opener;
  }

  /**
   * Memory held by bytes that no packet could be made of yet, bytes. A packet of which a part is there does not count: reading
   * has to go on for it.
   */
  get buffered(): number {
    const { length } = this.#kept;
    return length < this.#packetLength ? 0 : length;
  }

  /** Whether bytes are there that no packet was made of. */
  get hasUnread(): boolean {
    return this.#offset < this.#chunk.length || this.#kept.length > 0;
  }

  /** Sequence number of the packet that was returned last (RFC 4253 §6.4). */
  get lastSequenceNumber(): number {
    return (this.#counts.sequenceNumber - 1) >>> 0;
  }

  /** Bytes opened with the present keys. */
  get bytes(): number {
    return this.#counts.bytes;
  }

  /** Whether the present keys have done as much as their cipher allows. */
  get exhausted(): boolean {
    return this.#counts.haveExhausted(this.#opener);
  }

  /** Takes bytes, which are overwritten. They are only lent: `keep` has to be called before their memory is used again. */
  push(chunk: Buffer): void {
    this.keep();
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** Copies what is left of the last chunk. */
  keep(): void {
    const rest = this.#chunk.subarray(this.#offset);
    this.#chunk = NOTHING;
    this.#offset = 0;
    if (rest.length > 0) this.#kept.add(rest, this.#packetLength);
  }

  /** Takes new keys into use from the next packet on, and overwrites the old ones; strict key exchange also starts the sequence numbers anew. */
  changeKeys(opener: PacketOpener, sequenceNumbers: "continue" | "reset"): void {
    this.#opener.destroy();
    this.#opener = opener;
    this.#counts.restart(sequenceNumbers);
  }

  /**
   * The payload of the next packet, or `undefined` if it is not there yet. It is lent until the next call, or `release`.
   *
   * @throws {ProtocolError} when the bytes are not a packet under the present keys
   */
  next(): Buffer | undefined {
    this.release();
    if (this.#packetLength === 0) {
      const header = this.#peek(this.#opener.headerLength);
      if (header === undefined) return undefined;
      this.#packetLength = this.#validLength(this.#opener.readLength(header, this.#counts.sequenceNumber));
    }
    const length = this.#packetLength;
    const packet = this.#take(length);
    if (packet === undefined) return undefined;
    const opened = this.#opener.open(packet, this.#counts.sequenceNumber);
    this.#packetLength = 0;
    this.#counts.add(length);
    if (!this.#opener.opensInPlace) countShortLivedBuffer(length);
    const paddingLength = opened[0] ?? 0;
    const payloadEnd = opened.length - paddingLength;
    if (paddingLength < 4 || payloadEnd < 2) throw new ProtocolError("the padding length of a packet is wrong");
    return opened.subarray(1, payloadEnd);
  }

  /** Says that the last payload is not used any more. */
  release(): void {
    this.#kept.release();
  }

  #validLength(length: number): number {
    const opener = this.#opener;
    const aligned = opener.lengthIsAligned ? length + 4 : length;
    if (length > MAX_PACKET_LENGTH) throw new ProtocolError(`packet length ${length} is over ${MAX_PACKET_LENGTH}`);
    if (length < 6 || aligned < opener.blockLength || aligned % opener.blockLength !== 0) {
      throw new ProtocolError(`packet length ${length} does not fit the cipher`);
    }
    return 4 + length + opener.tagLength;
  }

  /** The next `length` bytes without consuming them. */
  #peek(length: number): Buffer | undefined {
    if (!this.#has(length)) return undefined;
    return this.#kept.length === 0
      ? this.#chunk.subarray(this.#offset, this.#offset + length)
      : this.#kept.peek(length);
  }

  /** Consumes `length` bytes, in one piece. */
  #take(length: number): Buffer | undefined {
    if (!this.#has(length)) return undefined;
    return this.#kept.length === 0 ? this.#takeOfChunk(length) : this.#kept.take(length);
  }

  /** Whether so many bytes are there; if so, they are in one piece, in the chunk or among those that are kept. */
  #has(length: number): boolean {
    const kept = this.#kept;
    const missing = length - kept.length;
    if (missing > this.#chunk.length - this.#offset) return false;
    if (kept.length > 0 && missing > 0) kept.add(this.#takeOfChunk(missing), length);
    return true;
  }

  #takeOfChunk(length: number): Buffer {
    const end = this.#offset + length;
    const bytes = this.#chunk.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }
}
