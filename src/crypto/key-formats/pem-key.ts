import { createPrivateKey, createPublicKey } from "node:crypto";
import { refuseDSA } from "../keys/dsa.js";
import { KeyError, malformedIfThrown, passphraseRequired, wrongPassphrase } from "../keys/key-error.js";
import { type KeyMaterial, plainMaterial, printable, privateMaterial, publicBlobOf } from "../keys/key-material.js";
import { checkEncryptionCost } from "./encrypted-pkcs8.js";
import type { PemBlock } from "./pem-block.js";

const ENCRYPTED_PKCS8_LABEL = "ENCRYPTED PRIVATE KEY";
/** PKCS #8 (RFC 5208), PKCS #1 (RFC 8017 §A.1.2) and SEC 1 (RFC 5915). */
const PRIVATE_LABELS: readonly string[] = ["PRIVATE KEY", ENCRYPTED_PKCS8_LABEL, "RSA PRIVATE KEY", "EC PRIVATE KEY"];
/** SubjectPublicKeyInfo (RFC 5280 §4.1) and PKCS #1. */
const PUBLIC_LABELS: readonly string[] = ["PUBLIC KEY", "RSA PUBLIC KEY"];

/**
 * Reads a key in one of the formats that OpenSSL knows.
 *
 * @throws {KeyError}
 */
export function readPemKey(block: PemBlock, passphrase: Buffer | undefined): KeyMaterial {
  if (PUBLIC_LABELS.includes(block.label)) return readPublic(block);
  if (PRIVATE_LABELS.includes(block.label)) {
    return block.encrypted ? readEncrypted(block, passphrase) : readPrivate(block);
  }
  refuseDSA(block.label);
  throw new KeyError("unsupported", `keys in the format ${JSON.stringify(printable(block.label))} are not supported`);
}

function readPublic(block: PemBlock): KeyMaterial {
  const key = malformedIfThrown("the public key is damaged", () => createPublicKey(block.text));
  return plainMaterial(publicBlobOf(key), "");
}

function readPrivate(block: PemBlock): KeyMaterial {
  const key = malformedIfThrown("the private key is damaged", () => createPrivateKey(block.text));
  return privateMaterial(key, "");
}

function readEncrypted(block: PemBlock, passphrase: Buffer | undefined): KeyMaterial {
  if (block.label === ENCRYPTED_PKCS8_LABEL) checkEncryptionCost(block.body);
  if (passphrase === undefined) throw passphraseRequired();
  return privateMaterial(decrypt(block, passphrase), "");
}

/** A wrong passphrase can leave any kind of garbage, so every failure counts as one. */
function decrypt(block: PemBlock, passphrase: Buffer) {
  try {
    return createPrivateKey({ key: block.text, format: "pem", passphrase });
  } catch {
    throw wrongPassphrase();
  }
}
