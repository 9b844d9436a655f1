import { timingSafeEqual } from "node:crypto";
import type { PasswordHash } from "./password-hash.js";
import { computeShaCrypt, type ShaCryptAlgorithm } from "./sha-crypt.js";

/** The number where none is given; less is too easily guessed. */
const DEFAULT_ROUNDS = 5_000;
/** Half a second, in slices between all else that the server does: with more, clients that guess could keep it busy. */
const MAX_ROUNDS = 200_000;
/** Characters, of the 16 that count. */
const MIN_SALT_LENGTH = 8;
/** Bytes, as libxcrypt's: the time grows with the length. */
const MAX_PASSWORD_LENGTH = 512;

const ALGORITHMS: Readonly<Record<string, ShaCryptAlgorithm>> = { "5": "sha256", "6": "sha512" };
const HASH_LENGTHS = { sha256: 43, sha512: 86 } as const;

/** @throws {Error} that tells why a text cannot be used as a hash */
export function parseShaCryptHash(text: string): PasswordHash {
  const match = /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([./A-Za-z\d]{0,16})\$([./A-Za-z\d]+)$/.exec(text);
  const [, digit = "", digits, saltText = "", hash = ""] = match ?? [];
  const algorithm = ALGORITHMS[digit];
  if (algorithm === undefined || hash.length !== HASH_LENGTHS[algorithm]) {
    throw new Error("the SHA-crypt hash is not $5$salt$ and 43 characters, or $6$salt$ and 86");
  }
  const rounds = digits === undefined ? DEFAULT_ROUNDS : Number(digits);
  if (rounds < DEFAULT_ROUNDS)
    throw new Error(`the hash is too cheap to compute: it has to take at least ${DEFAULT_ROUNDS} rounds`);
  if (rounds > MAX_ROUNDS)
    throw new Error(`the hash is too expensive to compute: it may take at most ${MAX_ROUNDS} rounds`);
  if (saltText.length < MIN_SALT_LENGTH) throw new Error(`the salt has fewer than ${MIN_SALT_LENGTH} characters`);
  const salt = Buffer.from(saltText, "latin1");
  const wanted = Buffer.from(hash, "latin1");
  return {
    cost: `${algorithm}-crypt rounds=${rounds} salt=${salt.length}`,
    maxPasswordLength: MAX_PASSWORD_LENGTH,
    async matches(password, signal) {
      const computed = await computeShaCrypt(algorithm, { password, salt, rounds }, signal);
      return computed !== undefined && timingSafeEqual(Buffer.from(computed, "latin1"), wanted);
    },
  };
}
