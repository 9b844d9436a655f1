import type { PacketOpener } from "../crypto/cipher/packet-cipher.js";
import { accompanyPacket } from "../crypto/cipher/young-garbage.js";
import { MAX_PACKET_LENGTH } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { PacketCounts } from "./packet-counts.js";

/** First allocation for a packet that comes in pieces, bytes; more only as more bytes have come. */
const INITIAL_ASSEMBLY_LENGTH = 36 * 1024;

/** Bytes of a first piece from which on a packet in two is not put together: a short piece would hold its whole chunk. */
const LARGE_PIECE_LENGTH = 4 * 1024;

/** The cost of a chunk beside its bytes, bytes. */
const CHUNK_OVERHEAD = 256;

/** For packets that are not opened in place: large buffers that live for one packet keep the garbage collector busy. */
let sharedAssembly: Buffer | undefined;

/**
 * Cuts the incoming byte stream into packets and opens them (RFC 4253 §6). A packet that lies whole in a chunk is
 * opened where it lies, and one that lies in two from there, if the opener can; one that is spread over more is first put
 * together. Chunks are overwritten by this.
 */
export class PacketReader {
  #opener: PacketOpener;
  readonly #counts = new PacketCounts();
  readonly #chunks: Buffer[] = [];
  #offset = 0;
  #buffered = 0;
  /** Length of the packet that comes next, with length field and tag, once its header was read. */
  #packetLength = 0;
  /** What has come of the next packet, where the rest may be in the next chunk. */
  #firstPiece: Buffer | undefined;
  #assembly: Buffer | undefined;
  /** The assembly is the shared one, to be given back. */
  #assemblyShared = false;
  #assembled = 0;

  constructor(opener: PacketOpener) {
    this.#opener = opener;
  }

  /**
   * Memory held by bytes that no packet could be made of yet, bytes; tiny chunks count for what they cost. A packet that
   * is being put together does not count: reading has to go on for it.
   */
  get buffered(): number {
    return this.#buffered + this.#chunks.length * CHUNK_OVERHEAD;
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

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** Takes new keys into use from the next packet on, and overwrites the old ones; strict key exchange also starts the sequence numbers anew. */
  changeKeys(opener: PacketOpener, sequenceNumbers: "continue" | "reset"): void {
    this.#opener.destroy();
    this.#opener = opener;
    this.#counts.restart(sequenceNumbers);
  }

  /**
   * The payload of the next packet, or `undefined` if it is not there yet.
   *
   * @throws {ProtocolError} when the bytes are not a packet under the present keys
   */
  next(): Buffer | undefined {
    const length = this.#nextPacketLength();
    if (length === undefined) return undefined;
    const opened = this.#openPieces(length) ?? this.#openWhole(length);
    if (opened === undefined) return undefined;
    this.#packetLength = 0;
    this.#counts.add(length);
    accompanyPacket(length);
    const paddingLength = opened[0] ?? 0;
    const payloadEnd = opened.length - paddingLength;
    if (paddingLength < 4 || payloadEnd < 2) throw new ProtocolError("the padding length of a packet is wrong");
    return opened.subarray(1, payloadEnd);
  }

  #nextPacketLength(): number | undefined {
    if (this.#packetLength === 0) {
      const header = this.#peek(this.#opener.headerLength);
      if (header === undefined) return undefined;
      this.#packetLength = this.#validLength(this.#opener.readLength(header, this.#counts.sequenceNumber));
    }
    return this.#packetLength;
  }

  #openWhole(length: number): Buffer | undefined {
    const packet = this.#take(length);
    if (packet === undefined) return undefined;
    const opened = this.#opener.open(packet, this.#counts.sequenceNumber);
    if (this.#assemblyShared) this.#giveBackAssembly(packet);
    return opened;
  }

  /** Opens a packet that lies in two chunks. */
  #openPieces(length: number): Buffer | undefined {
    if (this.#opener.openPieces === undefined || this.#assembly !== undefined) return undefined;
    const [chunk] = this.#chunks;
    if (this.#firstPiece === undefined) {
      const rest = chunk === undefined ? 0 : chunk.length - this.#offset;
      if (rest >= length || rest < LARGE_PIECE_LENGTH) return undefined;
      this.#firstPiece = chunk?.subarray(this.#offset);
      this.#consume(rest);
      return this.#openPieces(length);
    }
    const missing = length - this.#firstPiece.length;
    if (chunk === undefined || chunk.length < missing) return undefined;
    const second = chunk.subarray(0, missing);
    const first = this.#firstPiece;
    this.#firstPiece = undefined;
    this.#consume(missing);
    return this.#opener.openPieces(first, second, this.#counts.sequenceNumber);
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
    const first = this.#chunks[0];
    if (first === undefined || this.#buffered < length) return undefined;
    if (first.length - this.#offset >= length) return first.subarray(this.#offset, this.#offset + length);
    const header = Buffer.allocUnsafe(length);
    let filled = first.copy(header, 0, this.#offset);
    for (let index = 1; filled < length; index++) filled += this.#chunks[index]?.copy(header, filled) ?? length;
    return header;
  }

  /** Consumes `length` bytes into one contiguous buffer, keeping what has come of them until all are there. */
  #take(length: number): Buffer | undefined {
    if (this.#assembly === undefined) {
      const first = this.#chunks[0];
      if (first !== undefined && first.length - this.#offset >= length) {
        const packet = first.subarray(this.#offset, this.#offset + length);
        this.#consume(length);
        return packet;
      }
      const firstPiece = this.#firstPiece;
      if (firstPiece !== undefined && first === undefined) return undefined;
      this.#assembly = this.#startAssembly(length);
      this.#assembled = 0;
      this.#firstPiece = undefined;
      if (firstPiece !== undefined) this.#assemble(firstPiece, length);
    }
    while (this.#assembled < length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return undefined;
      const count = Math.min(length - this.#assembled, chunk.length - this.#offset);
      this.#assemble(chunk.subarray(this.#offset, this.#offset + count), length);
      this.#consume(count);
    }
    const packet = this.#assembly.subarray(0, length);
    this.#assembly = undefined;
    return packet;
  }

  #assemble(piece: Buffer, length: number): void {
    piece.copy(this.#roomForAssembly(piece.length, length), this.#assembled);
    this.#assembled += piece.length;
  }

  #startAssembly(length: number): Buffer {
    const large = length > INITIAL_ASSEMBLY_LENGTH / 2 && length <= INITIAL_ASSEMBLY_LENGTH;
    if (!large || this.#opener.opensInPlace) {
      return Buffer.allocUnsafeSlow(Math.min(length, INITIAL_ASSEMBLY_LENGTH));
    }
    const assembly = sharedAssembly ?? Buffer.allocUnsafeSlow(INITIAL_ASSEMBLY_LENGTH);
    sharedAssembly = undefined;
    this.#assemblyShared = true;
    return assembly;
  }

  #giveBackAssembly(packet: Buffer): void {
    sharedAssembly = Buffer.from(packet.buffer);
    this.#assemblyShared = false;
  }

  #roomForAssembly(count: number, length: number): Buffer {
    const present = this.#assembly ?? Buffer.alloc(0);
    if (this.#assembled + count <= present.length) return present;
    const grown = Buffer.allocUnsafeSlow(Math.min(length, Math.max(this.#assembled + count, present.length * 2)));
    present.copy(grown, 0, 0, this.#assembled);
    this.#assembly = grown;
    return grown;
  }

  #consume(count: number): void {
    this.#offset += count;
    this.#buffered -= count;
    const first = this.#chunks[0];
    if (first !== undefined && this.#offset === first.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
  }
}
