import { accompanyPacket, LARGE_PACKET_LENGTH } from "./young-garbage.js";

const transfer: unknown = Reflect.get(ArrayBuffer.prototype, "transfer");

/** Whether memory can be given back before it is found to be garbage: from Node.js 21 on. */
export const discardsAtOnce = typeof transfer === "function";

/**
 * Copies what `node:crypto` has made of a packet back to its place, and gives back the memory that it was in: nobody else
 * may have a view of that. The next packet gets the same memory, still in the processor's cache, and none of it waits for
 * the garbage collector: sealing takes half the CPU time. Where that is not possible the garbage is made cheap to collect.
 *
 * @returns the view of the packet that was written
 */
export function putBack(bytes: Buffer, packet: Buffer, offset: number): Buffer {
  packet.set(bytes, offset);
  const end = offset + bytes.length;
  if (bytes.length >= LARGE_PACKET_LENGTH) discard(bytes);
  return packet.subarray(offset, end);
}

function discard(bytes: Buffer): void {
  const { buffer } = bytes;
  if (typeof transfer !== "function") accompanyPacket(bytes.length);
  else if (buffer.byteLength === bytes.length) transfer.call(buffer, 0);
}
