import { Writer } from "../../protocol/writer.js";

/** Sizes of the prime that the client can accept and would like, bits. */
export interface GroupSizes {
  readonly minimum: number;
  readonly preferred: number;
  readonly maximum: number;
}

/** The start of the transcript: min, n, max, p, g (RFC 4419 §3). */
export function encodeAgreedGroup(
  { minimum, preferred, maximum }: GroupSizes,
  prime: Buffer,
  generator: Buffer,
): Buffer {
  return new Writer(prime.length + 32)
    .writeUint32(minimum)
    .writeUint32(preferred)
    .writeUint32(maximum)
    .writeMpint(prime)
    .writeMpint(generator)
    .toBuffer();
}
