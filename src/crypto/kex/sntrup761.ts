import { type Encapsulator, hybridAlgorithm } from "./hybrid.js";
import { encapsulate, SNTRUP761_PUBLIC_KEY_LENGTH } from "./sntrup761-kem.js";

const sntrup761: Encapsulator = {
  publicKeyLength: SNTRUP761_PUBLIC_KEY_LENGTH,
  encapsulate: (publicKey) => encapsulate(publicKey),
};

/** draft-josefsson-ntruprime-ssh. */
export const sntrup761x25519Sha512 = hybridAlgorithm("sntrup761x25519-sha512", "sha512", sntrup761);
/** The same method under the name it had before it was registered. */
export const sntrup761x25519Sha512Openssh = hybridAlgorithm("sntrup761x25519-sha512@openssh.com", "sha512", sntrup761);
