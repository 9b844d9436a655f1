import { createHash, randomBytes } from "node:crypto";
import { decodeSequence, encodeSequence, encodeTernary } from "../../src/crypto/kex/sntrup761-codec.js";

/**
 * Key generation and decapsulation of Streamlined NTRU Prime sntrup761, which only a client needs. Written for the
 * tests from the definitions: not in constant time, and with arithmetic of its own.
 */
const P = 761;
const Q = 4591;
const WEIGHT = 286;

export type RandomSource = (length: number) => Buffer;

export interface Sntrup761KeyPair {
  readonly publicKey: Buffer;
  /** f, in coefficients -1, 0, 1. */
  readonly f: number[];
  /** 1/g modulo 3. */
  readonly inverseOfG: number[];
  /** What stands in for the input when a ciphertext is refused. */
  readonly rho: Buffer;
}

export function generateSntrup761KeyPair(random: RandomSource = randomBytes): Sntrup761KeyPair {
  let g: number[];
  let inverseOfG: number[] | undefined;
  do {
    g = randomTernary(random);
    inverseOfG = invert(g, 3);
  } while (inverseOfG === undefined);
  const f = randomShort(random);
  const inverseOf3f = invert(
    f.map((coefficient) => 3 * coefficient),
    Q,
  );
  if (inverseOf3f === undefined) throw new Error("Rq is a field and f is not zero");
  const h = multiply(g, inverseOf3f, Q);
  const publicKey = encodeSequence(
    h.map((coefficient) => balanced(coefficient, Q) + (Q - 1) / 2),
    Q,
  );
  return { publicKey, f, inverseOfG: inverseOfG.map((coefficient) => balanced(coefficient, 3)), rho: random(191) };
}

/** The secret, and whether the ciphertext was made properly (if not, the secret is one that nobody knows). */
export function decapsulateSntrup761(
  pair: Sntrup761KeyPair,
  ciphertext: Buffer,
): { secret: Buffer; accepted: boolean } {
  const rounded = [...decodeSequence(ciphertext.subarray(0, 1007), P, 1531)].map((n) => 3 * n - (Q - 1) / 2);
  const e = multiply(rounded, pair.f, Q).map((coefficient) => balanced(balanced(3 * coefficient, Q), 3));
  const candidate = multiply(e, pair.inverseOfG, 3).map((coefficient) => balanced(coefficient, 3));
  const accepted =
    candidate.filter((coefficient) => coefficient !== 0).length === WEIGHT &&
    encrypt(pair.publicKey, candidate).equals(ciphertext);
  const inputHash = hash(3, accepted ? encodeTernary(Int32Array.from(candidate)) : pair.rho);
  return { secret: hash(accepted ? 1 : 0, inputHash, ciphertext), accepted };
}

/** The ciphertext of an input, by the plainest multiplication there is. */
export function encrypt(publicKey: Buffer, input: number[]): Buffer {
  const h = [...decodeSequence(publicKey, P, Q)].map((n) => n - (Q - 1) / 2);
  const product = multiply(h, input, Q).map((coefficient) => balanced(coefficient, Q));
  const rounded = product.map((coefficient) => (coefficient - balanced(coefficient, 3) + (Q - 1) / 2) / 3);
  const confirmation = hash(2, hash(3, encodeTernary(Int32Array.from(input))), hash(4, publicKey));
  return Buffer.concat([encodeSequence(rounded, 1531), confirmation]);
}

function hash(use: number, ...parts: Buffer[]): Buffer {
  return createHash("sha512")
    .update(Buffer.concat([Buffer.of(use), ...parts]))
    .digest()
    .subarray(0, 32);
}

function randomTernary(random: RandomSource): number[] {
  const bytes = random(4 * P);
  return Array.from({ length: P }, (_, i) => Math.floor(((bytes.readUInt32LE(4 * i) & 0x3fffffff) * 3) / 2 ** 30) - 1);
}

function randomShort(random: RandomSource): number[] {
  const bytes = random(4 * P);
  const tagged = Array.from({ length: P }, (_, i) => {
    const number = bytes.readUInt32LE(4 * i);
    const rest = number - (number % 4);
    return i < WEIGHT ? rest + (number % 4 >= 2 ? 2 : 0) : rest + 1;
  });
  return tagged.sort((a, b) => a - b).map((number) => (number % 4) - 1);
}

function modulo(n: number, m: number): number {
  return ((n % m) + m) % m;
}

/** The representative of n modulo m that is nearest to zero. */
function balanced(n: number, m: number): number {
  const residue = modulo(n, m);
  return residue > (m - 1) / 2 ? residue - m : residue;
}

/** In Z[x]/(m, x^p - x - 1), coefficients 0 to m-1. */
export function multiply(a: number[], b: number[], m: number): number[] {
  const product = new Array<number>(2 * P).fill(0);
  a.forEach((x, i) => {
    if (x === 0) return;
    for (let j = 0; j < P; j++) product[i + j] = (product[i + j] ?? 0) + x * (b[j] ?? 0);
  });
  for (let k = 2 * P - 1; k >= P; k--) {
    const coefficient = product[k] ?? 0;
    product[k - P] = (product[k - P] ?? 0) + coefficient;
    product[k - P + 1] = (product[k - P + 1] ?? 0) + coefficient;
  }
  return product.slice(0, P).map((coefficient) => modulo(coefficient, m));
}

/** 1/a in the field of m elements, by Fermat. */
function invertScalar(a: number, m: number): number {
  let result = 1;
  for (let power = modulo(a, m), exponent = m - 2; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = (result * power) % m;
    power = (power * power) % m;
  }
  return result;
}

/** 1/a in Z[x]/(m, x^p - x - 1) by the extended Euclidean algorithm, or undefined when there is none. */
function invert(a: number[], m: number): number[] | undefined {
  const modulus = new Array<number>(P + 1).fill(0);
  modulus[0] = m - 1;
  modulus[1] = m - 1;
  modulus[P] = 1;
  let [r0, r1] = [modulus, trim(a.map((coefficient) => modulo(coefficient, m)))];
  let [t0, t1]: [number[], number[]] = [[], [1]];
  while (r1.length > 1) {
    const inverseOfLead = invertScalar(r1.at(-1) ?? 0, m);
    while (r0.length >= r1.length) {
      const factor = ((r0.at(-1) ?? 0) * inverseOfLead) % m;
      const shift = r0.length - r1.length;
      t0 = subtractShifted(t0, t1, factor, shift, m);
      r0 = subtractShifted(r0, r1, factor, shift, m);
    }
    [r0, r1, t0, t1] = [r1, r0, t1, t0];
  }
  if (r1.length === 0) return undefined;
  const scale = invertScalar(r1[0] ?? 0, m);
  return Array.from({ length: P }, (_, i) => ((t1[i] ?? 0) * scale) % m);
}

/** a - factor * x^shift * b */
function subtractShifted(a: number[], b: number[], factor: number, shift: number, m: number): number[] {
  const result = [...a];
  while (result.length < b.length + shift) result.push(0);
  b.forEach((coefficient, i) => {
    result[i + shift] = modulo((result[i + shift] ?? 0) - factor * coefficient, m);
  });
  return trim(result);
}

/** Without leading zero coefficients. */
function trim(polynomial: number[]): number[] {
  return polynomial.slice(0, polynomial.findLastIndex((coefficient) => coefficient !== 0) + 1);
}
