import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { DecapsulationKeyPair, Encapsulation } from "./hybrid.js";
import { decodeSequence, encodeSequence, encodeTernary } from "./sntrup761-codec.js";
import { invertMod3, invertModQ } from "./sntrup761-inverse.js";
import {
  HALF_Q,
  multiply,
  multiplyMod3,
  nonZeroMask,
  P,
  Q,
  reduceMod3,
  reduceModQ,
  roundToThirds,
  shortPolynomial,
  ternaryPolynomial,
  WEIGHT,
} from "./sntrup761-ring.js";

/** Lengths of a public key and of a ciphertext, bytes. */
export const SNTRUP761_PUBLIC_KEY_LENGTH = 1158;
export const SNTRUP761_CIPHERTEXT_LENGTH = 1039;

/** Numbers that a rounded coefficient can take, and the bytes of all of them. */
const ROUNDED_LIMIT = (Q + 2) / 3;
const ROUNDED_LENGTH = 1007;
/** Random bytes that a random polynomial takes. */
const RANDOM_LENGTH = 4 * P;
/** Bytes of an encoded input. */
const TERNARY_LENGTH = 191;
const HASH_LENGTH = 32;
/** Modulo q. */
const RECIPROCAL_OF_3 = -1530;

/** The byte in front of a hash's input, so that each use has a hash of its own. */
const HashUse = { REFUSED_SESSION: 0, SESSION: 1, CONFIRM: 2, INPUT: 3, PUBLIC_KEY: 4 } as const;

/**
 * Encapsulation of Streamlined NTRU Prime sntrup761 ("NTRU Prime: round 3", draft-josefsson-ntruprime-streamlined §3).
 *
 * Any public key of the right length can be encapsulated to; the scheme has no invalid ones.
 *
 * @param publicKey {@link SNTRUP761_PUBLIC_KEY_LENGTH} bytes
 * @param random 3044 bytes; given only by tests
 */
export function encapsulate(publicKey: Buffer, random = randomBytes(RANDOM_LENGTH)): Encapsulation {
  const input = shortPolynomial(random);
  const encodedInput = encodeTernary(input);
  const ciphertext = encrypt(publicKey, input, encodedInput);
  const secret = sessionSecret(HashUse.SESSION, encodedInput, ciphertext);
  for (const sensitive of [random, input, encodedInput]) sensitive.fill(0);
  return { ciphertext, secret };
}

/**
 * Key generation of the same, for a key that opens one ciphertext and is erased then.
 *
 * @param random given only by tests
 */
export function generateKeyPair(random: (length: number) => Buffer = randomBytes): DecapsulationKeyPair {
  const { g, inverseOfG } = invertibleTernary(random);
  const f = draw(random, shortPolynomial);
  const inverseOfF = invertModQ(f);
  const polynomial = multiply(inverseOfF, g).map((coefficient) => reduceModQ(coefficient * RECIPROCAL_OF_3));
  const publicKey = encodeSequence(
    polynomial.map((coefficient) => coefficient + HALF_Q),
    Q,
  );
  for (const sensitive of [g, inverseOfF]) sensitive.fill(0);
  const key: PrivateKey = { publicKey, f, inverseOfG, substitute: random(TERNARY_LENGTH) };
  return { publicKey, decapsulate: (ciphertext) => decapsulate(key, ciphertext) };
}

function draw(random: (length: number) => Buffer, polynomialOf: (random: Buffer) => Int32Array): Int32Array {
  const bytes = random(RANDOM_LENGTH);
  const polynomial = polynomialOf(bytes);
  bytes.fill(0);
  return polynomial;
}

interface PrivateKey {
  readonly publicKey: Buffer;
  readonly f: Int32Array;
  readonly inverseOfG: Int32Array;
  /** Random bytes that stand for the input of a ciphertext that is refused. */
  readonly substitute: Buffer;
}

/** About two of three have an inverse; how often one was drawn says nothing of the last. */
function invertibleTernary(random: (length: number) => Buffer): { g: Int32Array; inverseOfG: Int32Array } {
  for (;;) {
    const g = draw(random, ternaryPolynomial);
    const inverseOfG = invertMod3(g);
    if (inverseOfG !== undefined) return { g, inverseOfG };
  }
}

function decapsulate({ publicKey, f, inverseOfG, substitute }: PrivateKey, ciphertext: Buffer): Uint8Array {
  const rounded = decodeSequence(ciphertext.subarray(0, ROUNDED_LENGTH), P, ROUNDED_LIMIT).map(
    (number) => 3 * number - HALF_Q,
  );
  const product = multiply(rounded, f);
  for (let i = 0; i < P; i++) product[i] = reduceMod3(reduceModQ(3 * (product[i] ?? 0)));
  const input = multiplyMod3(product, inverseOfG);
  replaceUnlessShort(input);
  const encodedInput = encodeTernary(input);
  const accepted = timingSafeEqual(encrypt(publicKey, input, encodedInput), ciphertext);

  const refusedMask = Number(accepted) - 1;
  for (let i = 0; i < TERNARY_LENGTH; i++) {
    encodedInput[i] = ((encodedInput[i] ?? 0) & ~refusedMask) | ((substitute[i] ?? 0) & refusedMask);
  }
  const secret = sessionSecret(HashUse.SESSION + refusedMask, encodedInput, ciphertext);
  for (const sensitive of [f, inverseOfG, substitute, product, input, encodedInput]) sensitive.fill(0);
  return secret;
}

/** An input of another weight gives way to one that nobody has encrypted. */
function replaceUnlessShort(input: Int32Array): void {
  let weight = 0;
  for (const coefficient of input) weight += coefficient & 1;
  const mask = nonZeroMask(weight - WEIGHT);
  for (let i = 0; i < P; i++) input[i] = ((input[i] ?? 0) & ~mask) | ((i < WEIGHT ? 1 : 0) & mask);
}

function encrypt(publicKey: Buffer, input: Int32Array, encodedInput: Buffer): Buffer {
  const polynomial = decodeSequence(publicKey, P, Q).map((coefficient) => coefficient - HALF_Q);
  const product = multiply(polynomial, input);
  const rounded = encodeSequence(roundToThirds(product), ROUNDED_LIMIT);
  const inputHash = hash(HashUse.INPUT, encodedInput);
  const confirmation = hash(HashUse.CONFIRM, inputHash, hash(HashUse.PUBLIC_KEY, publicKey));
  for (const sensitive of [product, inputHash]) sensitive.fill(0);
  return Buffer.concat([rounded, confirmation]);
}

/** @param use `HashUse.SESSION` or `HashUse.REFUSED_SESSION` */
function sessionSecret(use: number, encodedInput: Buffer, ciphertext: Buffer): Buffer {
  const inputHash = hash(HashUse.INPUT, encodedInput);
  const secret = hash(use, inputHash, ciphertext);
  inputHash.fill(0);
  return secret;
}

function hash(use: number, ...parts: readonly Buffer[]): Buffer {
  const digest = createHash("sha512").update(Buffer.of(use));
  for (const part of parts) digest.update(part);
  return digest.digest().subarray(0, HASH_LENGTH);
}
