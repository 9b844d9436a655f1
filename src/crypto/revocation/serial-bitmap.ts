/** Serial numbers from `start` on: as in a big-endian number, bit 0 is the lowest bit of the last byte. */
export interface SerialBitmap {
  readonly start: bigint;
  /** Its first byte is not zero. */
  readonly bytes: Buffer;
}

/** The last serial number that the bitmap can hold. */
export function bitmapEnd({ start, bytes }: SerialBitmap): bigint {
  return start + BigInt(bytes.length * 8 - 1);
}

/** `serial` must not be before the start or after the end. */
export function bitmapHas({ start, bytes }: SerialBitmap, serial: bigint): boolean {
  const bit = Number(serial - start);
  const byte = bytes[bytes.length - 1 - (bit >> 3)] ?? 0;
  return ((byte >> (bit & 7)) & 1) === 1;
}

/**
 * The same serial numbers in bitmaps that are sorted and do not overlap, so that one look decides. They take no more
 * bytes than those given, but for a byte each.
 */
export function disjointBitmaps(bitmaps: readonly SerialBitmap[]): readonly SerialBitmap[] {
  const sorted = bitmaps.toSorted((a, b) => compare(a.start, b.start));
  const disjoint: SerialBitmap[] = [];
  let overlapping: SerialBitmap[] = [];
  let end = -1n;
  for (const bitmap of sorted) {
    if (bitmap.start > end && overlapping.length > 0) {
      disjoint.push(union(overlapping, end));
      overlapping = [];
    }
    overlapping.push(bitmap);
    const bitmapLast = bitmapEnd(bitmap);
    if (bitmapLast > end) end = bitmapLast;
  }
  if (overlapping.length > 0) disjoint.push(union(overlapping, end));
  return disjoint;
}

/** `bitmaps` are sorted, each starts within those before it, and `end` is the greatest of their ends. */
function union(bitmaps: readonly SerialBitmap[], end: bigint): SerialBitmap {
  const [first] = bitmaps;
  if (first === undefined) throw new RangeError("there is no bitmap");
  if (bitmaps.length === 1) return first;
  const bytes = Buffer.alloc(Number((end - first.start) >> 3n) + 1);
  for (const bitmap of bitmaps) {
    const offset = Number(bitmap.start - first.start);
    for (let index = 0; index < bitmap.bytes.length; index++) {
      const shifted = (bitmap.bytes[bitmap.bytes.length - 1 - index] ?? 0) << (offset & 7);
      const low = bytes.length - 1 - (offset >> 3) - index;
      bytes[low] = (bytes[low] ?? 0) | (shifted & 0xff);
      // At the start of the buffer nothing is carried: no bit is past `end`.
      if (low > 0) bytes[low - 1] = (bytes[low - 1] ?? 0) | (shifted >> 8);
    }
  }
  return { start: first.start, bytes };
}

export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
