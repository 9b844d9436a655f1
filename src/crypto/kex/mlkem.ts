import * as crypto from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Encapsulator, hybridAlgorithm } from "./hybrid.js";
import { keyExchangeFailed } from "./messages.js";

/** Length of an ML-KEM-768 encapsulation key, bytes (FIPS 203 table 3). */
const ENCAPSULATION_KEY_LENGTH = 1184;

/** SubjectPublicKeyInfo with OID 2.16.840.1.101.3.4.4.2 (id-alg-ml-kem-768), up to the encapsulation key. */
const SPKI_PREFIX = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

/** What Node.js has from 24.7 on; the type definitions of the oldest supported version do not know it. */
type MaybeNative = typeof crypto & {
  encapsulate?(key: crypto.KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
};
type NativeEncapsulate = NonNullable<MaybeNative["encapsulate"]>;

const mlkem768: Encapsulator = {
  publicKeyLength: ENCAPSULATION_KEY_LENGTH,
  encapsulate(encapsulationKey) {
    // Both implementations check that all coefficients are below q (FIPS 203 §7.2) and throw when not.
    try {
      return nativeEncapsulate === undefined ? portable(encapsulationKey) : native(nativeEncapsulate, encapsulationKey);
    } catch (cause) {
      throw keyExchangeFailed("the ML-KEM encapsulation key cannot be used", { cause });
    }
  },
};

/** draft-ietf-sshm-mlkem-hybrid-kex, as OpenSSH speaks it since 9.9. */
export const mlkem768x25519Sha256 = hybridAlgorithm("mlkem768x25519-sha256", "sha256", mlkem768);

const nativeEncapsulate = findNative();

function findNative(): NativeEncapsulate | undefined {
  const { encapsulate }: MaybeNative = crypto;
  if (encapsulate === undefined) return undefined;
  try {
    // The function may be there while the OpenSSL below it lacks the algorithm. Zeros are a well-formed key.
    importEncapsulationKey(Buffer.alloc(ENCAPSULATION_KEY_LENGTH));
    return encapsulate;
  } catch {
    return undefined;
  }
}

function importEncapsulationKey(encapsulationKey: Buffer): crypto.KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, encapsulationKey]);
  return crypto.createPublicKey({ key, format: "der", type: "spki" });
}

function native(encapsulate: NativeEncapsulate, encapsulationKey: Buffer) {
  const { sharedKey, ciphertext } = encapsulate(importEncapsulationKey(encapsulationKey));
  return { ciphertext, secret: sharedKey };
}

function portable(encapsulationKey: Buffer) {
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey);
  return { ciphertext: cipherText, secret: sharedSecret };
}
