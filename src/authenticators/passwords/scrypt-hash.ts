import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { decodeBase64, encodeBase64, requireLength } from "./encoded-bytes.js";
import type { PasswordHash } from "./password-hash.js";

/** Memory is 128 × cost × blockSize bytes, and time grows with all three. */
interface ScryptCost {
  /** N of RFC 7914 §2, a power of two. */
  readonly cost: number;
  /** r */
  readonly blockSize: number;
  /** p */
  readonly parallelization: number;
}

/** 32 MiB, and about a fifth of a second. */
const NEW_HASH: ScryptCost = { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
const NEW_SALT_LENGTH = 16;
const NEW_HASH_LENGTH = 32;

/** Less than this is too easily guessed. */
const MIN_COST = 2 ** 14;
const MIN_HASH_LENGTH = 32;
const MIN_SALT_LENGTH = 8;
/** A hash that costs more (128 MiB, or some half a second) would let clients that guess keep the server busy. */
const MAX_MEMORY = 128 * 1024 * 1024;
const MAX_WORK = 2 ** 21;
const MAX_LENGTH = 64;
/** No longer password of a client reaches a hook. */
const MAX_PASSWORD_LENGTH = 1024;

/**
 * Hashes a password for a line of a password file.
 *
 * @returns scrypt (RFC 7914) with a new salt, as one line of text: `$scrypt$ln=15,r=8,p=3$SALT$HASH`
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(NEW_SALT_LENGTH);
  const hash = await compute(Buffer.from(password, "utf8"), salt, NEW_HASH_LENGTH, NEW_HASH);
  return `$scrypt$${describe(NEW_HASH)}$${encodeBase64(salt)}$${encodeBase64(hash)}`;
}

/** A hash whose password nobody knows. It costs as much as a new one. */
export function nobodysHash(): PasswordHash {
  return scryptHash(NEW_HASH, randomBytes(NEW_SALT_LENGTH), randomBytes(NEW_HASH_LENGTH));
}

/** @throws {Error} that tells why a text cannot be used as a hash */
export function parseScryptHash(text: string): PasswordHash {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+)$/.exec(text);
  if (match === null) throw new Error("the scrypt hash is not $scrypt$ln=…,r=…,p=…$salt$hash");
  const [, logarithm, blockSize, parallelization, salt, hash] = match;
  const cost = { cost: 2 ** Number(logarithm), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  requireGoodCost(cost);
  return scryptHash(
    cost,
    requireLength("salt", decodeBase64(salt), MIN_SALT_LENGTH, MAX_LENGTH),
    requireLength("hash", decodeBase64(hash), MIN_HASH_LENGTH, MAX_LENGTH),
  );
}

function scryptHash(cost: ScryptCost, salt: Buffer, hash: Buffer): PasswordHash {
  return {
    cost: `scrypt ${describe(cost)}`,
    maxPasswordLength: MAX_PASSWORD_LENGTH,
    matches: async (password) => timingSafeEqual(await compute(password, salt, hash.length, cost), hash),
  };
}

function compute(password: Buffer, salt: Buffer, length: number, cost: ScryptCost): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 128 * cost.blockSize * (cost.cost + cost.parallelization + 2) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

function requireGoodCost({ cost, blockSize, parallelization }: ScryptCost): void {
  if (cost < MIN_COST || blockSize < 8 || parallelization < 1) throw new Error("the hash is too cheap to compute");
  const memory = 128 * cost * blockSize;
  if (memory > MAX_MEMORY || cost * blockSize * parallelization > MAX_WORK) {
    throw new Error("the hash is too expensive to compute");
  }
}

function describe({ cost, blockSize, parallelization }: ScryptCost): string {
  return `ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}`;
}
