import type { PacketOpener, PacketSealer } from "../crypto/cipher/packet-cipher.js";

/** The counts of one direction of a connection. */
export class PacketCounts {
  #sequenceNumber = 0;
  #packets = 0;
  #bytes = 0;

  /** Of the next packet (RFC 4253 §6.4). */
  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }

  /** Bytes under the present keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the present keys have done as much as their cipher allows. */
  haveExhausted({ maximumPackets, maximumBytes }: PacketOpener | PacketSealer): boolean {
    return this.#packets >= maximumPackets || this.#bytes >= maximumBytes;
  }

  /** @param length of one packet, bytes */
  add(length: number): void {
    this.#sequenceNumber = (this.#sequenceNumber + 1) >>> 0;
    this.#packets++;
    this.#bytes += length;
  }

  /** There are new keys; strict key exchange also starts the sequence numbers anew (OpenSSH PROTOCOL §1.10). */
  restart(sequenceNumbers: "continue" | "reset"): void {
    this.#packets = 0;
    this.#bytes = 0;
    if (sequenceNumbers === "reset") this.#sequenceNumber = 0;
  }
}
