/** Messages that one input may hold. */
const MAXIMUM_MESSAGES = 64;

/**
 * Cuts an input into messages: each has its length, two bytes, in front, and ends at the latest where the input does.
 * So every input is some messages, and no mutation of one moves all that follow.
 */
export function splitMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let offset = 0; offset + 2 <= bytes.length && messages.length < MAXIMUM_MESSAGES; ) {
    const start = offset + 2;
    offset = Math.min(bytes.length, start + bytes.readUInt16BE(offset));
    messages.push(bytes.subarray(start, offset));
  }
  return messages;
}

/** The input that `splitMessages` cuts into these. */
export function joinMessages(messages: Iterable<Uint8Array>): Buffer {
  const parts: Uint8Array[] = [];
  for (const message of messages) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    parts.push(length, message);
  }
  return Buffer.concat(parts);
}

/** Cuts bytes into chunks whose lengths the first of them decide: 1 to 63, over and over. */
export function cutInChunks(bytes: Buffer): Buffer[] {
  const lengths = [...bytes.subarray(0, 8)].map((byte) => (byte % 63) + 1);
  const chunks: Buffer[] = [];
  for (let offset = 0, index = 0; offset < bytes.length; index++) {
    const length = lengths[index % lengths.length] ?? 1;
    chunks.push(Buffer.from(bytes.subarray(offset, offset + length)));
    offset += length;
  }
  return chunks;
}

/** Lets all that is ready run: promises, and `turns` rounds of the event loop. */
export async function settle(turns = 2): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
