/** A copy of a key. Not from Node's pool of buffers: a few bytes would keep 8 KiB of it in memory. */
export function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.alloc(bytes.length);
  bytes.copy(copy);
  return copy;
}
