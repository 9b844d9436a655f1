import type { KeyObject } from "node:crypto";
import { ConfigurationError } from "../../base/configuration-error.js";
import { ECDSA_BITS, generateEcdsa } from "../keys/ecdsa.js";
import { generateEd25519 } from "../keys/ed25519.js";
import { generateRsa, RSA_MAXIMUM_BITS, RSA_MINIMUM_BITS } from "../keys/rsa.js";

export interface GenerateOptions {
  readonly keyType: "ed25519" | "ecdsa" | "rsa";
  /** For ecdsa 256 (default), 384 or 521; for rsa 2048 to 16384, 3072 by default. Ed25519 keys have one size. */
  readonly bits?: number;
}

const RSA_DEFAULT_BITS = 3072;
const ECDSA_DEFAULT_BITS = 256;

/** @throws {ConfigurationError} when an option is out of range */
export function generatePrivateKey({ keyType, bits }: GenerateOptions): KeyObject {
  switch (keyType) {
    case "ed25519":
      if (bits !== undefined && bits !== 256) throw new ConfigurationError("bits", "an Ed25519 key has 256 bits");
      return generateEd25519();
    case "ecdsa":
      if (bits !== undefined && !ECDSA_BITS.includes(bits)) {
        throw new ConfigurationError("bits", `an ECDSA key has ${ECDSA_BITS.join(", ")} bits`);
      }
      return generateEcdsa(bits ?? ECDSA_DEFAULT_BITS);
    case "rsa":
      if (bits !== undefined) checkRange("bits", bits, RSA_MINIMUM_BITS, RSA_MAXIMUM_BITS);
      return generateRsa(bits ?? RSA_DEFAULT_BITS);
    default:
      throw new ConfigurationError("keyType", 'must be "ed25519", "ecdsa" or "rsa"');
  }
}

/** @throws {ConfigurationError} unless `value` is an integer in the range */
export function checkRange(option: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new ConfigurationError(option, `must be an integer from ${minimum} to ${maximum}`);
  }
}
