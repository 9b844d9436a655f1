import { MAX_PACKET_LENGTH } from "./constants.js";
import { returnPacketBuffer, takePacketBuffer } from "./packet-buffers.js";

const LENGTH_FIELD = 4;

/** Type and request id, or version: what every packet has. */
const MIN_PACKET_LENGTH = 5;

/** The stream holds no packet where one should start: nothing that follows can be understood. */
export class PacketLengthError extends Error {
  override readonly name = "PacketLengthError";
}

/** A packet without its length. */
export interface Packet {
  readonly bytes: Buffer;
  /** Bytes of memory that the packet holds. */
  readonly memory: number;
  /** Says that `bytes` are not needed any more; to be called once. */
  readonly release: () => void;
}

/** Bytes up to which a packet gets memory of its own: all requests but those with data. */
const SMALL_PACKET_LENGTH = 1024;

const nothingToGiveBack = () => {};

/** Cuts a stream of bytes, which are only lent, into packets. */
export class PacketAssembler {
  #chunk: Buffer | undefined;
  #offset = 0;
  /** The length field, as far as it has come, of a packet whose length lies in several chunks. */
  readonly #length = Buffer.alloc(LENGTH_FIELD);
  #lengthFilled = 0;
  #packet: { readonly buffer: Buffer; readonly length: number; filled: number } | undefined;

  /**
   * Adds what came. There must be no rest of the last chunk: `next` has returned `undefined`.
   *
   * @param chunk is lent until `keep` is called
   */
  add(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** Copies what is left of the last chunk. */
  keep(): void {
    if (this.#chunk !== undefined) this.add(Buffer.from(this.#chunk.subarray(this.#offset)));
  }

  /** Whether a packet has begun and not ended. */
  get hasPart(): boolean {
    return this.#packet !== undefined || this.#lengthFilled > 0;
  }

  /**
   * The next whole packet; `undefined` when more has to come first.
   *
   * @throws {PacketLengthError} for a length that no packet has
   */
  next(): Packet | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    const packet = this.#packet === undefined ? this.#start(chunk) : this.#continue(chunk, this.#packet);
    if (this.#offset === chunk.length) this.#chunk = undefined;
    return packet;
  }

  /** Gives back what a packet that will not end has taken. */
  close(): void {
    if (this.#packet !== undefined) returnPacketBuffer(this.#packet.buffer);
    this.#packet = undefined;
    this.#chunk = undefined;
  }

  #start(chunk: Buffer): Packet | undefined {
    const length = this.#readLength(chunk);
    if (length === undefined) return undefined;
    if (length < MIN_PACKET_LENGTH || length > MAX_PACKET_LENGTH) {
      throw new PacketLengthError(`a packet has ${MIN_PACKET_LENGTH} to ${MAX_PACKET_LENGTH} bytes, not ${length}`);
    }
    const end = this.#offset + length;
    if (end > chunk.length || length > SMALL_PACKET_LENGTH) {
      this.#packet = { buffer: takePacketBuffer(length), length, filled: 0 };
      return this.#continue(chunk, this.#packet);
    }
    const bytes = Buffer.allocUnsafe(length);
    chunk.copy(bytes, 0, this.#offset, end);
    this.#offset = end;
    return { bytes, memory: length, release: nothingToGiveBack };
  }

  #readLength(chunk: Buffer): number | undefined {
    const rest = chunk.length - this.#offset;
    if (this.#lengthFilled === 0 && rest >= LENGTH_FIELD) {
      this.#offset += LENGTH_FIELD;
      return chunk.readUInt32BE(this.#offset - LENGTH_FIELD);
    }
    const more = Math.min(rest, LENGTH_FIELD - this.#lengthFilled);
    chunk.copy(this.#length, this.#lengthFilled, this.#offset, this.#offset + more);
    this.#offset += more;
    this.#lengthFilled += more;
    if (this.#lengthFilled < LENGTH_FIELD) return undefined;
    this.#lengthFilled = 0;
    return this.#length.readUInt32BE();
  }

  #continue(chunk: Buffer, packet: { readonly buffer: Buffer; readonly length: number; filled: number }) {
    const { buffer, length } = packet;
    const end = Math.min(chunk.length, this.#offset + length - packet.filled);
    chunk.copy(buffer, packet.filled, this.#offset, end);
    packet.filled += end - this.#offset;
    this.#offset = end;
    if (packet.filled < length) return undefined;
    this.#packet = undefined;
    return { bytes: buffer.subarray(0, length), memory: buffer.length, release: () => returnPacketBuffer(buffer) };
  }
}
