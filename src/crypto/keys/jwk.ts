import type { KeyObject } from "node:crypto";
import { KeyError, malformedIfThrown } from "./key-error.js";

/** One number or byte string of a key, by its name in RFC 7518 §6 or RFC 8037 §2. */
export type JwkField = "n" | "e" | "d" | "p" | "q" | "dp" | "dq" | "qi" | "x" | "y";

/** Gives access to the fields of `key` as bytes. */
export function jwkFields(key: KeyObject): (name: JwkField) => Buffer {
  const jwk = malformedIfThrown("the key has no valid numbers", () => key.export({ format: "jwk" }));
  return (name) => {
    const value = jwk[name];
    if (value === undefined) throw new KeyError("malformed", "the key lacks one of its numbers");
    return Buffer.from(value, "base64url");
  };
}

export function base64url(bytes: Buffer): string {
  return bytes.toString("base64url");
}
