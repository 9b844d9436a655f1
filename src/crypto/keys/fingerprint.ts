import { hash } from "node:crypto";

/** `SHA256:` and unpadded base64 of a public key's blob, as `ssh-keygen -l` prints it. */
export function fingerprintOf(publicBlob: Buffer): string {
  return `SHA256:${hash("sha256", publicBlob, "base64").replace(/=+$/, "")}`;
}
