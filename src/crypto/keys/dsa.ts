import { KeyError } from "./key-error.js";

/** Names of DSA keys: of a key and a certificate in SSH, in OpenSSL, and the label of the PEM format of DSA keys. */
const NAMES: readonly string[] = ["ssh-dss", "ssh-dss-cert-v01@openssh.com", "dsa", "DSA PRIVATE KEY"];

/** @throws {KeyError} `unsupported`, for the name of a DSA key */
export function refuseDSA(name: string): void {
  if (!NAMES.includes(name)) return;
  throw new KeyError(
    "unsupported",
    "DSA keys are not supported, because their signatures in SSH use SHA-1: make a new key with `ssh-keygen -t ed25519`",
  );
}
