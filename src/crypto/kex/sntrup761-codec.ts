/**
 * The byte encodings of Streamlined NTRU Prime. A sequence of integers, each below its own limit, is folded pairwise
 * into half as many integers below the products of the limits; whenever a product reaches 2^14, low bytes are put out.
 *
 * Only public values pass here (public keys and ciphertexts), so time may depend on them; the exception is
 * `encodeTernary`, which has no branch or index that depends on its input.
 */
const FOLD_LIMIT = 16384;

/** Encodes integers that are all in `0..limit-1`. */
export function encodeSequence(values: ArrayLike<number>, limit: number): Buffer {
  const bytes: number[] = [];
  let numbers = Array.from(values);
  let limits = numbers.map(() => limit);
  while (numbers.length > 1) {
    const foldedNumbers: number[] = [];
    const foldedLimits: number[] = [];
    for (let i = 0; i < numbers.length; i += 2) {
      const low = limits[i] ?? 1;
      // At the end of an odd sequence the last integer goes into the next round as it is.
      let number = (numbers[i] ?? 0) + (numbers[i + 1] ?? 0) * low;
      let product = low * (limits[i + 1] ?? 1);
      while (i + 1 < numbers.length && product >= FOLD_LIMIT) {
        bytes.push(number & 0xff);
        number >>>= 8;
        product = (product + 255) >>> 8;
      }
      foldedNumbers.push(number);
      foldedLimits.push(product);
    }
    numbers = foldedNumbers;
    limits = foldedLimits;
  }
  let number = numbers[0] ?? 0;
  for (let rest = limits[0] ?? 1; rest > 1; rest = (rest + 255) >>> 8) {
    bytes.push(number & 0xff);
    number >>>= 8;
  }
  return Buffer.from(bytes);
}

/** Decodes `count` integers. Any bytes of the right number decode; integers come out reduced below `limit`. */
export function decodeSequence(bytes: Uint8Array, count: number, limit: number): Int32Array {
  return Int32Array.from(decodeLevel(bytes, 0, new Array<number>(count).fill(limit)));
}

/** Undoes one round of folding: the low bytes of all its pairs stand before those of the rounds after it. */
function decodeLevel(bytes: Uint8Array, start: number, limits: readonly number[]): number[] {
  if (limits.length === 1) return [decodeLast(bytes, start, limits[0] ?? 1)];
  let offset = start;
  const lowParts: number[] = [];
  const scales: number[] = [];
  const foldedLimits: number[] = [];
  for (let i = 0; i < limits.length; i += 2) {
    let product = (limits[i] ?? 1) * (limits[i + 1] ?? 1);
    let low = 0;
    let scale = 1;
    while (i + 1 < limits.length && product >= FOLD_LIMIT) {
      low += (bytes[offset++] ?? 0) * scale;
      scale *= 256;
      product = (product + 255) >>> 8;
    }
    lowParts.push(low);
    scales.push(scale);
    foldedLimits.push(product);
  }
  const folded = decodeLevel(bytes, offset, foldedLimits);
  const values: number[] = [];
  for (let i = 0; i < limits.length; i += 2) {
    const pair = i / 2;
    const number = (lowParts[pair] ?? 0) + (scales[pair] ?? 1) * (folded[pair] ?? 0);
    const limit = limits[i] ?? 1;
    const next = limits[i + 1];
    values.push(number % limit);
    if (next !== undefined) values.push(Math.floor(number / limit) % next);
  }
  return values;
}

function decodeLast(bytes: Uint8Array, start: number, limit: number): number {
  let number = 0;
  let scale = 1;
  let offset = start;
  for (let rest = limit; rest > 1; rest = (rest + 255) >>> 8) {
    number += (bytes[offset++] ?? 0) * scale;
    scale *= 256;
  }
  return number % limit;
}

/** Encodes coefficients -1, 0 and 1, four to a byte, the first in the lowest bits. */
export function encodeTernary(coefficients: Int32Array): Buffer {
  const bytes = Buffer.alloc((coefficients.length + 3) >> 2);
  for (let i = 0; i < coefficients.length; i++) {
    bytes[i >> 2] = (bytes[i >> 2] ?? 0) | (((coefficients[i] ?? 0) + 1) << (2 * (i & 3)));
  }
  return bytes;
}
