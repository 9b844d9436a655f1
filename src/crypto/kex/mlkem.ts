import * as crypto from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type DecapsulationKeyPair, type Encapsulation, hybridAlgorithm, type KeyEncapsulation } from "./hybrid.js";
import { keyExchangeFailed } from "./messages.js";

/** Lengths of an ML-KEM-768 encapsulation key and of a ciphertext, bytes (FIPS 203 table 3). */
const ENCAPSULATION_KEY_LENGTH = 1184;
const CIPHERTEXT_LENGTH = 1088;

/** SubjectPublicKeyInfo with OID 2.16.840.1.101.3.4.4.2 (id-alg-ml-kem-768), up to the encapsulation key. */
const SPKI_PREFIX = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

/** A type of key that the type definitions do not know. */
const ML_KEM_768 = "ml-kem-768" as string as "x25519";

/** The methods that Node.js has from 24.7 on; the type definitions of the oldest supported version do not know them. */
interface Native {
  encapsulate(key: crypto.KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  decapsulate(key: crypto.KeyObject, ciphertext: Buffer): Buffer;
}

type Implementation = Pick<KeyEncapsulation, "encapsulate" | "generateKeyPair">;

const portable: Implementation = {
  encapsulate(encapsulationKey) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey);
    return { ciphertext: cipherText, secret: sharedSecret };
  },
  generateKeyPair() {
    const { publicKey, secretKey } = ml_kem768.keygen();
    return {
      publicKey,
      decapsulate(ciphertext) {
        const secret = ml_kem768.decapsulate(ciphertext, secretKey);
        secretKey.fill(0);
        return secret;
      },
    };
  },
};

const implementation = findNative() ?? portable;

const mlkem768: KeyEncapsulation = {
  publicKeyLength: ENCAPSULATION_KEY_LENGTH,
  ciphertextLength: CIPHERTEXT_LENGTH,
  encapsulate(encapsulationKey) {
    // Both implementations check that all coefficients are below q (FIPS 203 §7.2) and throw when not.
    try {
      return implementation.encapsulate(encapsulationKey);
    } catch (cause) {
      throw keyExchangeFailed("the ML-KEM encapsulation key cannot be used", { cause });
    }
  },
  generateKeyPair: () => implementation.generateKeyPair(),
};

/** draft-ietf-sshm-mlkem-hybrid-kex, as OpenSSH speaks it since 9.9. */
export const mlkem768x25519Sha256 = hybridAlgorithm("mlkem768x25519-sha256", "sha256", mlkem768);

function findNative(): Implementation | undefined {
  const { encapsulate, decapsulate }: typeof crypto & Partial<Native> = crypto;
  if (encapsulate === undefined || decapsulate === undefined) return undefined;
  try {
    // The functions may be there while the OpenSSL below them lacks the algorithm. Zeros are a well-formed key.
    importEncapsulationKey(Buffer.alloc(ENCAPSULATION_KEY_LENGTH));
  } catch {
    return undefined;
  }
  return native({ encapsulate, decapsulate });
}

function importEncapsulationKey(encapsulationKey: Buffer): crypto.KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, encapsulationKey]);
  return crypto.createPublicKey({ key, format: "der", type: "spki" });
}

function native({ encapsulate, decapsulate }: Native): Implementation {
  return {
    encapsulate(encapsulationKey): Encapsulation {
      const { sharedKey, ciphertext } = encapsulate(importEncapsulationKey(encapsulationKey));
      return { ciphertext, secret: sharedKey };
    },
    generateKeyPair(): DecapsulationKeyPair {
      // Written while the pair is made: to export it later could stop the process (`generated-key.ts` says why).
      // The type definitions allow no encoding for one half only.
      const options: object = { publicKeyEncoding: { type: "spki", format: "der" } };
      const pair: { publicKey: object; privateKey: crypto.KeyObject } = crypto.generateKeyPairSync(ML_KEM_768, options);
      const { publicKey, privateKey } = pair;
      if (!Buffer.isBuffer(publicKey)) throw new Error("an ML-KEM key was made without its public half");
      return {
        publicKey: publicKey.subarray(SPKI_PREFIX.length),
        decapsulate: (ciphertext) => decapsulate(privateKey, ciphertext),
      };
    },
  };
}
