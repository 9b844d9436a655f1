import type { KeyObject } from "node:crypto";
import { ecdsaP256, ecdsaP384, ecdsaP521 } from "./ecdsa.js";
import { ed25519 } from "./ed25519.js";
import type { KeyType } from "./key-type.js";
import { rsa } from "./rsa.js";

/** Every type of key this library handles. */
const KEY_TYPES: readonly KeyType[] = [ed25519, ecdsaP256, ecdsaP384, ecdsaP521, rsa];

const byName: ReadonlyMap<string, KeyType> = new Map(KEY_TYPES.map((type) => [type.name, type]));

export function keyTypeByName(name: string): KeyType | undefined {
  return byName.get(name);
}

export function keyTypeOf(key: KeyObject): KeyType | undefined {
  return KEY_TYPES.find((type) => type.accepts(key));
}
