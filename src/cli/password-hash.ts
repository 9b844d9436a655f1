import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** What a hash costs to compute: 128 × cost × blockSize bytes of memory, and a time that grows with all three. */
interface ScryptCost {
  /** N of RFC 7914 §2, a power of two. */
  readonly cost: number;
  /** r */
  readonly blockSize: number;
  /** p */
  readonly parallelization: number;
}

/** A password as it is kept: scrypt (RFC 7914) with a salt of its own. */
export interface PasswordHash extends ScryptCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB, and about a fifth of a second. */
const NEW_HASH: ScryptCost = { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
const NEW_SALT_LENGTH = 16;
const NEW_HASH_LENGTH = 32;

/** Less than this is too easily guessed. */
const MIN_COST = 2 ** 14;
const MIN_HASH_LENGTH = 32;
const MIN_SALT_LENGTH = 8;
/** A hash that costs more (128 MiB, or some half a second) would let those who only try keep the server busy. */
const MAX_MEMORY = 128 * 1024 * 1024;
const MAX_WORK = 2 ** 21;
const MAX_LENGTH = 64;

/** @returns a new hash as one line of text */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(NEW_SALT_LENGTH);
  const hash = await compute(password, salt, NEW_HASH_LENGTH, NEW_HASH);
  const { cost, blockSize, parallelization } = NEW_HASH;
  return `$scrypt$ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}$${toBase64(salt)}$${toBase64(hash)}`;
}

/** @throws {Error} that says why a text is no hash that can be used */
export function parsePasswordHash(text: string): PasswordHash {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+)$/.exec(text);
  if (match === null) throw new Error("the hash is none that spindlex hash-password makes");
  const [, logarithm, blockSize, parallelization, salt, hash] = match;
  const parsed = {
    cost: 2 ** Number(logarithm),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: fromBase64(salt),
    hash: fromBase64(hash),
  };
  requireGoodCost(parsed);
  requireLength("salt", parsed.salt, MIN_SALT_LENGTH);
  requireLength("hash", parsed.hash, MIN_HASH_LENGTH);
  return parsed;
}

/** Whether a password is the one that was hashed; how long that takes does not tell. */
export async function matchesHash(password: string, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await compute(password, known.salt, known.hash.length, known), known.hash);
}

function compute(password: string, salt: Buffer, length: number, cost: ScryptCost): Promise<Buffer> {
  const options: ScryptOptions = {
    cost: cost.cost,
    blockSize: cost.blockSize,
    parallelization: cost.parallelization,
    maxmem: 128 * cost.blockSize * (cost.cost + cost.parallelization + 2),
  };
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

function requireLength(part: string, { length }: Buffer, minimum: number): void {
  if (length >= minimum && length <= MAX_LENGTH) return;
  throw new Error(`the ${part} has ${length} bytes, not ${minimum} to ${MAX_LENGTH}`);
}

function toBase64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function fromBase64(text = ""): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (toBase64(bytes) !== text) throw new Error("the hash is not in base64");
  return bytes;
}
