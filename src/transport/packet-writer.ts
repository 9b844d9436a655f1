import type { PacketSealer } from "../crypto/cipher/packet-cipher.js";
import { PacketCounts } from "./packet-counts.js";
import { fillRandom } from "./random-bytes.js";
import { sendBlocks } from "./send-blocks.js";

/** The way to the peer. */
export interface Output {
  /** @param done called when the bytes are no longer needed */
  output(bytes: Buffer, done?: () => void): void;
}

/**
 * Writes packets (RFC 4253 §6): each is assembled once in a block, sealed in place, and everything that was written in
 * one turn of the event loop leaves in one piece.
 */
export class PacketWriter {
  #sealer: PacketSealer;
  readonly #output: Output;
  readonly #counts = new PacketCounts();
  #block: Buffer | undefined;
  #end = 0;

  constructor(sealer: PacketSealer, output: Output) {
    this.#sealer = sealer;
    this.#output = output;
  }

  /** Bytes sealed with the present keys. */
  get bytes(): number {
    return this.#counts.bytes;
  }

  /** Whether the present keys have done as much as their cipher allows. */
  get exhausted(): boolean {
    return this.#counts.haveExhausted(this.#sealer);
  }

  /** Takes new keys into use from the next packet on, and overwrites the old ones; strict key exchange also starts the sequence numbers anew. */
  changeKeys(sealer: PacketSealer, sequenceNumbers: "continue" | "reset"): void {
    this.#sealer.destroy();
    this.#sealer = sealer;
    this.#counts.restart(sequenceNumbers);
  }

  /** Writes one packet whose payload is `head` followed by `parts`; all may be reused at once. */
  write(head: Buffer, parts: readonly Uint8Array[] = []): void {
    const sealer = this.#sealer;
    let payloadLength = head.length;
    for (const part of parts) payloadLength += part.length;
    const blockLength = sealer.blockLength;
    const unaligned = (sealer.lengthIsAligned ? 5 : 1) + payloadLength;
    let paddingLength = blockLength - (unaligned % blockLength);
    if (paddingLength < 4) paddingLength += blockLength;
    const clearLength = 5 + payloadLength + paddingLength;
    const packetLength = clearLength + sealer.tagLength;

    const block = this.#reserve(packetLength);
    const start = this.#end;
    block.writeUInt32BE(clearLength - 4, start);
    block[start + 4] = paddingLength;
    head.copy(block, start + 5);
    let end = start + 5 + head.length;
    for (const part of parts) {
      block.set(part, end);
      end += part.length;
    }
    fillRandom(block, end, start + clearLength);
    sealer.seal(block.subarray(start, start + packetLength), this.#counts.sequenceNumber);
    // Not before it is sealed: if that fails, its clear text must not leave with the packets before it.
    this.#end = start + packetLength;
    this.#counts.add(packetLength);
  }

  /** Hands over what was written since the last time. */
  readonly flush = (): void => {
    const block = this.#block;
    if (block === undefined) return;
    const end = this.#end;
    this.#block = undefined;
    this.#end = 0;
    if (end > block.length / 4) {
      this.#output.output(block.subarray(0, end), () => sendBlocks.giveBack(block));
    } else {
      // A short message must not hold a whole block while a slow peer takes its time.
      this.#output.output(Buffer.from(block.subarray(0, end)));
      sendBlocks.giveBack(block);
    }
  };

  #reserve(length: number): Buffer {
    if (this.#block !== undefined && this.#block.length - this.#end < length) this.flush();
    if (this.#block === undefined) {
      this.#block = length > sendBlocks.length ? Buffer.allocUnsafeSlow(length) : sendBlocks.take();
      process.nextTick(this.flush);
    }
    return this.#block;
  }
}
