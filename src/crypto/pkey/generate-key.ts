import type { KeyObject } from "node:crypto";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { ECDSA_BITS, generateEcdsa } from "../keys/ecdsa.js";
import { generateEd25519 } from "../keys/ed25519.js";
import { generateRsa, RSA_MAXIMUM_BITS, RSA_MINIMUM_BITS } from "../keys/rsa.js";

/** Options of `PKey.generate`. */
export interface GenerateOptions {
  /** The kind of key. */
  readonly keyType: "ed25519" | "ecdsa" | "rsa";
  /** For ecdsa 256 (default), 384 or 521; for rsa 2048 to 16384, 3072 by default. Ed25519 keys have one size. */
  readonly bits?: number;
}

const RSA_DEFAULT_BITS = 3072;
const ECDSA_DEFAULT_BITS = 256;

/** @throws {ConfigurationError} when an option does not exist, or is out of range */
export function generatePrivateKey(options: GenerateOptions): KeyObject {
  const { keyType, bits } = checkOptions(options, ["keyType", "bits"]);
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
      return generateRsa(checkInteger("bits", bits ?? RSA_DEFAULT_BITS, RSA_MINIMUM_BITS, RSA_MAXIMUM_BITS));
    default:
      throw new ConfigurationError("keyType", 'must be "ed25519", "ecdsa" or "rsa"');
  }
}
