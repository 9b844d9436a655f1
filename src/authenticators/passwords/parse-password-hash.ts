import { parseArgon2Hash } from "./argon2-hash.js";
import { parseBcryptHash } from "./bcrypt-hash.js";
import type { PasswordHash } from "./password-hash.js";
import { parseScryptHash } from "./scrypt-hash.js";
import { parseShaCryptHash } from "./sha-crypt-hash.js";

const PARSERS: ReadonlyMap<string, (text: string) => PasswordHash> = new Map([
  ["scrypt", parseScryptHash],
  ["2a", parseBcryptHash],
  ["2b", parseBcryptHash],
  ["2y", parseBcryptHash],
  ["argon2id", parseArgon2Hash],
  ["argon2i", parseArgon2Hash],
  ["argon2d", parseArgon2Hash],
  ["5", parseShaCryptHash],
  ["6", parseShaCryptHash],
]);

/** @throws {Error} that tells why a text cannot be used as a hash, and does not quote it */
export function parsePasswordHash(text: string): PasswordHash {
  const [, kind = ""] = /^\$([^$]*)\$/.exec(text) ?? [];
  const parse = PARSERS.get(kind);
  if (parse === undefined) {
    throw new Error("the hash is not of a kind that can be used: spindlex hash-password makes one");
  }
  return parse(text);
}
