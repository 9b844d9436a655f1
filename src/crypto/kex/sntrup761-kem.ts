import { createHash, randomBytes } from "node:crypto";
import type { Encapsulation } from "./hybrid.js";
import { decodeSequence, encodeSequence, encodeTernary } from "./sntrup761-codec.js";
import { HALF_Q, multiply, P, Q, roundToThirds, shortPolynomial } from "./sntrup761-ring.js";

/** Length of a public key, bytes. */
export const SNTRUP761_PUBLIC_KEY_LENGTH = 1158;

/** Numbers that a rounded coefficient can take. */
const ROUNDED_LIMIT = (Q + 2) / 3;
/** Random bytes that one encapsulation takes. */
const RANDOM_LENGTH = 4 * P;
const HASH_LENGTH = 32;

/** What goes in front of a hash's input, so that each use has a hash of its own. */
const HashUse = { SESSION: 1, CONFIRM: 2, INPUT: 3, PUBLIC_KEY: 4 } as const;
type HashUse = (typeof HashUse)[keyof typeof HashUse];

/**
 * Encapsulation of Streamlined NTRU Prime sntrup761 ("NTRU Prime: round 3", draft-josefsson-ntruprime-streamlined §3).
 *
 * Any public key of the right length can be encapsulated to; the scheme has no invalid ones.
 *
 * @param publicKey {@link SNTRUP761_PUBLIC_KEY_LENGTH} bytes
 * @param random 3044 bytes; given only by tests
 */
export function encapsulate(publicKey: Buffer, random = randomBytes(RANDOM_LENGTH)): Encapsulation {
  const polynomial = decodeSequence(publicKey, P, Q).map((coefficient) => coefficient - HALF_Q);
  const input = shortPolynomial(random);
  const product = multiply(polynomial, input);
  const rounded = encodeSequence(roundToThirds(product), ROUNDED_LIMIT);

  const encodedInput = encodeTernary(input);
  const inputHash = hash(HashUse.INPUT, encodedInput);
  const confirmation = hash(HashUse.CONFIRM, inputHash, hash(HashUse.PUBLIC_KEY, publicKey));
  const ciphertext = Buffer.concat([rounded, confirmation]);
  const secret = hash(HashUse.SESSION, inputHash, ciphertext);
  for (const sensitive of [random, input, product, encodedInput, inputHash]) sensitive.fill(0);
  return { ciphertext, secret };
}

function hash(use: HashUse, ...parts: readonly Buffer[]): Buffer {
  const digest = createHash("sha512").update(Buffer.of(use));
  for (const part of parts) digest.update(part);
  return digest.digest().subarray(0, HASH_LENGTH);
}
