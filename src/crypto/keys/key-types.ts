import type { KeyObject } from "node:crypto";
import { ecdsaP256, ecdsaP384, ecdsaP521 } from "./ecdsa.js";
import { ed25519 } from "./ed25519.js";
import type { KeyType, PlainKeyType } from "./key-type.js";
import { rsa } from "./rsa.js";
import { securityKeyEcdsaP256, securityKeyEd25519 } from "./security-keys.js";

const PLAIN_KEY_TYPES: readonly PlainKeyType[] = [ed25519, ecdsaP256, ecdsaP384, ecdsaP521, rsa];

/** Every type of key this library handles; each can be certified. */
export const KEY_TYPES: readonly KeyType[] = [...PLAIN_KEY_TYPES, securityKeyEd25519, securityKeyEcdsaP256];

const byName: ReadonlyMap<string, KeyType> = new Map(KEY_TYPES.map((type) => [type.name, type]));

export function keyTypeByName(name: string): KeyType | undefined {
  return byName.get(name);
}

/** OpenSSL knows nothing of applications, so a key that it holds is never a security key. */
export function keyTypeOf(key: KeyObject): PlainKeyType | undefined {
  return PLAIN_KEY_TYPES.find((type) => type.accepts(key));
}
