import { bitmapEnd, bitmapHas, compare, disjointBitmaps, type SerialBitmap } from "./serial-bitmap.js";

const NOTHING = Buffer.alloc(0);

export interface SerialRange {
  readonly first: bigint;
  /** Not before `first`. */
  readonly last: bigint;
}

/** Serial numbers, in the three ways a list can give them. */
export interface Serials {
  readonly singles: readonly bigint[];
  readonly ranges: readonly SerialRange[];
  readonly bitmaps: readonly SerialBitmap[];
}

/**
 * Serial numbers of certificates, sorted to be found fast. Ranges and bitmaps stay what they are, however many numbers
 * they stand for.
 */
export class SerialSet {
  readonly #singles: BigUint64Array;
  readonly #rangeFirsts: BigUint64Array;
  readonly #rangeLasts: BigUint64Array;
  readonly #bitmapStarts: BigUint64Array;
  /** Where each bitmap ends among the bytes of all. */
  readonly #bitmapEnds: Uint32Array;
  readonly #bitmapBytes: Buffer;

  constructor({ singles, ranges, bitmaps }: Serials) {
    this.#singles = BigUint64Array.from(singles).sort();
    const disjoint = disjointRanges(ranges);
    this.#rangeFirsts = BigUint64Array.from(disjoint, (range) => range.first);
    this.#rangeLasts = BigUint64Array.from(disjoint, (range) => range.last);
    const apart = disjointBitmaps(bitmaps);
    this.#bitmapStarts = BigUint64Array.from(apart, ({ start }) => start);
    let end = 0;
    this.#bitmapEnds = Uint32Array.from(apart, ({ bytes }) => (end += bytes.length));
    this.#bitmapBytes = apart.length === 0 ? NOTHING : Buffer.concat(apart.map(({ bytes }) => bytes));
  }

  has(serial: bigint): boolean {
    return this.#isSingle(serial) || this.#inRange(serial) || this.#inBitmap(serial);
  }

  #isSingle(serial: bigint): boolean {
    const serials = this.#singles;
    return serials[lastNotAfter(serials.length, (index) => serials[index], serial)] === serial;
  }

  #inRange(serial: bigint): boolean {
    const firsts = this.#rangeFirsts;
    const last = this.#rangeLasts[lastNotAfter(firsts.length, (index) => firsts[index], serial)];
    return last !== undefined && serial <= last;
  }

  #inBitmap(serial: bigint): boolean {
    const starts = this.#bitmapStarts;
    const index = lastNotAfter(starts.length, (at) => starts[at], serial);
    const start = starts[index];
    if (start === undefined) return false;
    const bitmap = {
      start,
      bytes: this.#bitmapBytes.subarray(this.#bitmapEnds[index - 1] ?? 0, this.#bitmapEnds[index]),
    };
    return serial <= bitmapEnd(bitmap) && bitmapHas(bitmap, serial);
  }
}

function disjointRanges(ranges: readonly SerialRange[]): readonly SerialRange[] {
  const disjoint: SerialRange[] = [];
  for (const range of ranges.toSorted((a, b) => compare(a.first, b.first))) {
    const before = disjoint.at(-1);
    if (before === undefined || range.first > before.last) disjoint.push(range);
    else if (range.last > before.last) disjoint[disjoint.length - 1] = { first: before.first, last: range.last };
  }
  return disjoint;
}

/** The index of the last of `count` sorted values that is not greater than `serial`, -1 when all are greater. */
function lastNotAfter(count: number, valueAt: (index: number) => bigint | undefined, serial: bigint): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = valueAt(middle);
    if (value !== undefined && value <= serial) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
