import { timingSafeEqual } from "node:crypto";
import { requirePackage } from "../../base/optional-package.js";
import { decodeBase64, requireLength } from "./encoded-bytes.js";
import type { PasswordHash } from "./password-hash.js";

type Argon2 = Pick<typeof import("@node-rs/argon2"), "hashRaw">;

interface Argon2Cost {
  /** KiB */
  readonly memory: number;
  /** Times that the memory is gone through. */
  readonly passes: number;
  readonly parallelism: number;
}

/** As the package numbers them. */
const ALGORITHMS = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;
/** 19 in the text; the one before has weaknesses. */
const VERSION = 1;

/**
 * Less than what OWASP's Password Storage Cheat Sheet asks for at least (7 MiB, and 5 passes then) is too easily
 * guessed.
 */
const MIN_MEMORY = 7 * 1024;
const MIN_WORK = 32 * 1024;
/** 256 MiB, or about a second: with more, clients that guess could keep the server busy. */
const MAX_MEMORY = 256 * 1024;
const MAX_WORK = 1024 * 1024;
const MAX_PARALLELISM = 16;
const SALT_LENGTH = { minimum: 8, maximum: 64 } as const;
const HASH_LENGTH = { minimum: 16, maximum: 64 } as const;
const MAX_PASSWORD_LENGTH = 1024;

/** @throws {Error} that tells why a text cannot be used as a hash */
export function parseArgon2Hash(text: string): PasswordHash {
  const match =
    /^\$(argon2(?:id|i|d))\$v=19\$m=(\d{1,7}),t=(\d{1,7}),p=(\d{1,3})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+)$/.exec(text);
  if (match === null) throw new Error("the argon2 hash is not $argon2id$v=19$m=…,t=…,p=…$salt$hash");
  const [, kind = "", memory, passes, parallelism, saltText, hashText] = match;
  const algorithm = ALGORITHMS[kind as keyof typeof ALGORITHMS];
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  requireGoodCost(cost);
  const salt = requireLength("salt", decodeBase64(saltText), SALT_LENGTH.minimum, SALT_LENGTH.maximum);
  const hash = requireLength("hash", decodeBase64(hashText), HASH_LENGTH.minimum, HASH_LENGTH.maximum);
  const argon2 = requirePackage<Argon2>("@node-rs/argon2", "argon2 hashes");
  const options = {
    algorithm,
    version: VERSION,
    memoryCost: cost.memory,
    timeCost: cost.passes,
    parallelism: cost.parallelism,
    outputLen: hash.length,
    salt,
  };
  return {
    cost: `${kind} m=${memory},t=${passes},p=${parallelism}`,
    maxPasswordLength: MAX_PASSWORD_LENGTH,
    // In a thread.
    matches: async (password) => timingSafeEqual(await argon2.hashRaw(password, options), hash),
  };
}

function requireGoodCost({ memory, passes, parallelism }: Argon2Cost): void {
  if (memory < MIN_MEMORY || memory * passes < MIN_WORK || parallelism < 1) {
    throw new Error("the hash is too cheap to compute: argon2 has to use m=7168 KiB, and m·t = 32768, at least");
  }
  if (memory > MAX_MEMORY || memory * passes > MAX_WORK || parallelism > MAX_PARALLELISM) {
    throw new Error("the hash is too expensive to compute: argon2 may use m=262144 KiB, and m·t = 1048576, at most");
  }
}
