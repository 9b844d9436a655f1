import { hybridAlgorithm, type KeyEncapsulation } from "./hybrid.js";
import {
  encapsulate,
  generateKeyPair,
  SNTRUP761_CIPHERTEXT_LENGTH,
  SNTRUP761_PUBLIC_KEY_LENGTH,
} from "./sntrup761-kem.js";

const sntrup761: KeyEncapsulation = {
  publicKeyLength: SNTRUP761_PUBLIC_KEY_LENGTH,
  ciphertextLength: SNTRUP761_CIPHERTEXT_LENGTH,
  encapsulate: (publicKey) => encapsulate(publicKey),
  generateKeyPair: () => generateKeyPair(),
};

/** draft-josefsson-ntruprime-ssh. */
export const sntrup761x25519Sha512 = hybridAlgorithm("sntrup761x25519-sha512", "sha512", sntrup761);
/** The same method under the name it had before it was registered. */
export const sntrup761x25519Sha512Openssh = hybridAlgorithm("sntrup761x25519-sha512@openssh.com", "sha512", sntrup761);
