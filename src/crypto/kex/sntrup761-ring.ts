/**
 * Arithmetic of Streamlined NTRU Prime with p = 761, q = 4591, w = 286. It works on secrets: no branch and no index
 * depends on them, and numbers stay in the ranges where V8 computes with single machine instructions.
 */
export const P = 761;
export const Q = 4591;
export const WEIGHT = 286;

/** Largest absolute value of a coefficient modulo q in its balanced form. */
export const HALF_Q = (Q - 1) / 2;

/** The factor of the second of two numbers in a double that holds both. */
const LANE = 2 ** 26;
const HALF_P = (P + 1) / 2;
/** Rows of the product that are added in one pass. */
const ROWS = 4;

/**
 * The integer of least absolute value that equals `value` modulo q.
 *
 * @param value -5,300,000 to 5,300,000
 */
export function reduceModQ(value: number): number {
  // Two approximations of value/q, by 228/2^20 and then by 58470/2^28; the first leaves less than 3q.
  const coarse = value - Math.imul(Q, Math.imul(value, 228) >> 20);
  return coarse - Math.imul(Q, (Math.imul(coarse, 58470) + (1 << 27)) >> 28);
}

/**
 * The integer from -1 to 1 that equals `value` modulo 3.
 *
 * @param value -5,000 to 5,000
 */
export function reduceMod3(value: number): number {
  // 10923/2^15 is 1/3 closely enough.
  return value - 3 * ((Math.imul(value, 10923) + (1 << 14)) >> 15);
}

/** All ones where `value` is not zero. */
export function nonZeroMask(value: number): number {
  return (value | -value) >> 31;
}

/**
 * The product in Z[x]/(q, x^p - x - 1) of a polynomial with coefficients in `-HALF_Q..HALF_Q` and one with coefficients
 * -1, 0 and 1.
 */
export function multiply(polynomial: Int32Array, ternary: Int32Array): Int32Array {
  return multiplyInRing(polynomial, ternary, reduceModQ);
}

/** The product in Z[x]/(3, x^p - x - 1) of polynomials with coefficients -1, 0 and 1. */
export function multiplyMod3(a: Int32Array, b: Int32Array): Int32Array {
  return multiplyInRing(a, b, reduceMod3);
}

function multiplyInRing(polynomial: Int32Array, ternary: Int32Array, reduce: (value: number) => number): Int32Array {
  const product = multiplyIntegers(polynomial, ternary);
  const result = new Int32Array(P);
  for (let i = 0; i < P; i++) {
    // x^(p+k) = x^(k+1) + x^k
    const folded = (product[i] ?? 0) + (product[i + P] ?? 0) + (i > 0 ? (product[i + P - 1] ?? 0) : 0);
    result[i] = reduce(folded | 0);
  }
  product.fill(0);
  return result;
}

/**
 * The product over the integers, 2p coefficients.
 *
 * Sums of 761 products stay below 2^21, so a double holds two of them side by side exactly: the low half of the
 * polynomial goes in the low lane and the high half in the lane above it, which saves half of the multiplications.
 */
function multiplyIntegers(polynomial: Int32Array, ternary: Int32Array): Int32Array {
  const lanes = new Float64Array(HALF_P + ROWS);
  for (let j = 0; j < HALF_P; j++) lanes[j] = (polynomial[j] ?? 0) + (polynomial[j + HALF_P] ?? 0) * LANE;
  const rows = new Float64Array(P + ROWS);
  rows.set(ternary);

  const sums = new Float64Array(P + HALF_P + 2 * ROWS);
  for (let i = 0; i < P; i += ROWS) {
    const row0 = rows[i] ?? 0;
    const row1 = rows[i + 1] ?? 0;
    const row2 = rows[i + 2] ?? 0;
    const row3 = rows[i + 3] ?? 0;
    let lane1 = 0;
    let lane2 = 0;
    let lane3 = 0;
    for (let j = 0; j < HALF_P + ROWS - 1; j++) {
      const lane0 = lanes[j] ?? 0;
      sums[i + j] = (sums[i + j] ?? 0) + row0 * lane0 + row1 * lane1 + row2 * lane2 + row3 * lane3;
      lane3 = lane2;
      lane2 = lane1;
      lane1 = lane0;
    }
  }

  const product = new Int32Array(2 * P);
  for (let k = 0; k < P + HALF_P - 1; k++) {
    const sum = sums[k] ?? 0;
    // Not Math.round, which V8 compiles with a comparison.
    const high = Math.floor(sum / LANE + 0.5);
    product[k] = (product[k] ?? 0) + (sum - high * LANE);
    product[k + HALF_P] = high;
  }
  sums.fill(0);
  rows.fill(0);
  return product;
}

/**
 * Coefficients modulo q rounded to the nearest multiple of 3, as numbers from 0 to 1530 (`(rounded + HALF_Q) / 3`):
 * what is encoded.
 */
export function roundToThirds(polynomial: Int32Array): Int32Array {
  // 10923/2^15 is 1/3 closely enough for all numbers up to q.
  return polynomial.map((coefficient) => Math.imul(coefficient + HALF_Q + 1, 10923) >> 15);
}

/**
 * A polynomial of random coefficients -1, 0 and 1.
 *
 * @param random 4p random bytes
 */
export function ternaryPolynomial(random: Buffer): Int32Array {
  return Int32Array.from({ length: P }, (_, i) => (Math.imul(random.readInt32LE(4 * i) & 0x3fffffff, 3) >>> 30) - 1);
}

/**
 * A polynomial of exactly `WEIGHT` coefficients ±1 in random places: random signs and zeros are attached to random
 * numbers, and sorting those shuffles them.
 *
 * @param random 4p random bytes
 */
export function shortPolynomial(random: Buffer): Int32Array {
  const tagged = new Int32Array(P);
  for (let i = 0; i < P; i++) {
    const number = random.readInt32LE(4 * i);
    // The two low bits become the coefficient plus one: 0 or 2 for the first ones, 1 for the rest.
    tagged[i] = i < WEIGHT ? number & ~1 : (number & ~3) | 1;
  }
  sortUnsigned(tagged);
  for (let i = 0; i < P; i++) tagged[i] = ((tagged[i] ?? 0) & 3) - 1;
  return tagged;
}

/** Batcher's merge exchange sort (Knuth, TAOCP 5.2.2 algorithm M): the length alone decides which pairs are compared. */
function sortUnsigned(numbers: Int32Array): void {
  const top = 2 ** (Math.ceil(Math.log2(numbers.length)) - 1);
  for (let p = top; p > 0; p >>= 1) {
    let remainder = 0;
    let distance = p;
    for (let q = top; ; q >>= 1) {
      for (let i = 0; i < numbers.length - distance; i++) {
        if ((i & p) === remainder) order(numbers, i, i + distance);
      }
      if (q === p) break;
      distance = q - p;
      remainder = p;
    }
  }
}

function order(numbers: Int32Array, first: number, second: number): void {
  const a = numbers[first] ?? 0;
  const b = numbers[second] ?? 0;
  // The borrow of b - a as unsigned numbers: all ones when b < a.
  const swap = ((~b & a) | (~(a ^ b) & (b - a))) >> 31;
  const difference = (a ^ b) & swap;
  numbers[first] = a ^ difference;
  numbers[second] = b ^ difference;
}
