import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { Reader } from "../../protocol/reader.js";
import { GENERATED_KEY_ENCODING, readGeneratedKey } from "./generated-key.js";
import { base64url, jwkFields } from "./jwk.js";
import { KeyError, malformedIfThrown } from "./key-error.js";
import type { PlainKeyType } from "./key-type.js";

export const RSA_MINIMUM_BITS = 2048;
export const RSA_MAXIMUM_BITS = 16384;
/** Verifying costs in proportion to it; every key in use has 65537 or smaller. */
const EXPONENT_MAXIMUM_LENGTH = 4;

const HASHES: ReadonlyMap<string, string> = new Map([
  ["rsa-sha2-512", "sha512"],
  ["rsa-sha2-256", "sha256"],
]);

/** RSA with PKCS #1 v1.5 signatures (RFC 8332): never the `ssh-rsa` signature, which is made over SHA-1. */
export const rsa: PlainKeyType = {
  kind: "plain",
  name: "ssh-rsa",
  signatureAlgorithms: [...HASHES.keys()],

  accepts: (key) => key.asymmetricKeyType === "rsa",

  bits: modulusBits,

  readPublicKey(fields) {
    const exponent = fields.readMpint();
    const modulus = fields.readMpint();
    checkPublicNumbers(modulus, exponent);
    return malformedIfThrown("the RSA public key is not valid", () =>
      createPublicKey({ format: "jwk", key: { kty: "RSA", n: base64url(modulus), e: base64url(exponent) } }),
    );
  },

  writePublicKey(fields, publicKey) {
    const jwk = jwkFields(publicKey);
    fields.writeMpint(jwk("e")).writeMpint(jwk("n"));
  },

  readPrivateKey(fields) {
    const n = fields.readMpint();
    const e = fields.readMpint();
    checkPublicNumbers(n, e);
    const d = readSecret(fields, n);
    const qi = readSecret(fields, n);
    const p = readSecret(fields, n);
    const q = readSecret(fields, n);
    const numbers = { n, e, d, p, q, dp: reduce(d, p), dq: reduce(d, q), qi };
    const jwk = Object.fromEntries(Object.entries(numbers).map(([name, bytes]) => [name, base64url(bytes)]));
    return malformedIfThrown("the RSA private key is not valid", () =>
      createPrivateKey({ format: "jwk", key: { kty: "RSA", ...jwk } }),
    );
  },

  writePrivateKey(fields, privateKey) {
    const jwk = jwkFields(privateKey);
    for (const name of ["n", "e", "d", "qi", "p", "q"] as const) fields.writeMpint(jwk(name));
  },

  /**
   * BigInt is not constant-time; this runs once for a key of our own, when it is loaded, and not at a peer's command.
   */
  checkPrivateKey(privateKey) {
    const jwk = jwkFields(privateKey);
    const [n, e, d] = [toBigInt(jwk("n")), toBigInt(jwk("e")), toBigInt(jwk("d"))];
    const [p, q, qi] = [toBigInt(jwk("p")), toBigInt(jwk("q")), toBigInt(jwk("qi"))];
    const consistent =
      p > 2n &&
      q > 2n &&
      p * q === n &&
      (d * e) % (p - 1n) === 1n &&
      (d * e) % (q - 1n) === 1n &&
      toBigInt(jwk("dp")) === d % (p - 1n) &&
      toBigInt(jwk("dq")) === d % (q - 1n) &&
      (qi * q) % p === 1n;
    if (!consistent) {
      throw new KeyError("malformed", "the private half of the key does not belong to its public half");
    }
  },

  sign: (data, privateKey, signatureAlgorithm) =>
    sign(hashOf(signatureAlgorithm), data, { key: privateKey, padding: constants.RSA_PKCS1_PADDING }),

  verify(data, publicKey, signature, signatureAlgorithm) {
    const length = Math.ceil(modulusBits(publicKey) / 8);
    if (signature.length > length) return false;
    // Some signers drop leading zero bytes; OpenSSH puts them back, so such clients exist.
    const padded =
      signature.length === length ? signature : Buffer.concat([Buffer.alloc(length - signature.length), signature]);
    const key = { key: publicKey, padding: constants.RSA_PKCS1_PADDING };
    return verify(hashOf(signatureAlgorithm), data, key, padded);
  },
};

/** A new private key of `bits` bits, with the exponent 65537. Takes up to seconds for large sizes. */
export function generateRsa(bits: number): KeyObject {
  const options = { modulusLength: bits, ...GENERATED_KEY_ENCODING };
  return readGeneratedKey(generateKeyPairSync("rsa", options).privateKey);
}

function modulusBits(publicKey: KeyObject): number {
  return publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
}

function hashOf(signatureAlgorithm: string): string {
  const hash = HASHES.get(signatureAlgorithm);
  if (hash === undefined) throw new KeyError("unsupported", `an RSA key does not sign with ${signatureAlgorithm}`);
  return hash;
}

/** `modulus` and `exponent` are magnitudes without leading zero bytes. */
function checkPublicNumbers(modulus: Buffer, exponent: Buffer): void {
  const bits = bitLength(modulus);
  if (bits < RSA_MINIMUM_BITS) {
    throw new KeyError("weak", `an RSA key of ${bits} bits is too small: it has to have at least ${RSA_MINIMUM_BITS}`);
  }
  if (bits > RSA_MAXIMUM_BITS) {
    throw new KeyError(
      "unsupported",
      `an RSA key of ${bits} bits is too large: it may have at most ${RSA_MAXIMUM_BITS}`,
    );
  }
  if (!isOdd(modulus)) throw new KeyError("malformed", "an RSA modulus is even");
  if (exponent.length > EXPONENT_MAXIMUM_LENGTH) throw new KeyError("unsupported", "an RSA exponent is too large");
  if (!isOdd(exponent) || bitLength(exponent) < 2) throw new KeyError("malformed", "an RSA exponent is not valid");
}

function readSecret(fields: Reader, modulus: Buffer): Buffer {
  const secret = fields.readMpint();
  if (secret.length > modulus.length || bitLength(secret) < 2) {
    throw new KeyError("malformed", "a number of an RSA private key is out of range");
  }
  return secret;
}

/** d mod (prime - 1): the exponent that the Chinese remainder theorem uses; not stored by OpenSSH. */
function reduce(d: Buffer, prime: Buffer): Buffer {
  const hex = (toBigInt(d) % (toBigInt(prime) - 1n)).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}

function toBigInt(magnitude: Buffer): bigint {
  return BigInt(`0x0${magnitude.toString("hex")}`);
}

function isOdd(magnitude: Buffer): boolean {
  return ((magnitude.at(-1) ?? 0) & 1) === 1;
}

function bitLength(magnitude: Buffer): number {
  const first = magnitude[0];
  return first === undefined ? 0 : magnitude.length * 8 - Math.clz32(first) + 24;
}
