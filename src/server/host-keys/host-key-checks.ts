import { fingerprintOf } from "../../crypto/keys/fingerprint.js";
import type { HostKey } from "../../crypto/pkey/host-key.js";
import { PKey } from "../../crypto/pkey/pkey.js";

/** Whether a value has the properties of a host key. */
export function isHostKey(key: HostKey | undefined): key is HostKey {
  return (
    Buffer.isBuffer(key?.publicBlob) &&
    typeof key.keyType === "string" &&
    Array.isArray(key.signatureAlgorithms) &&
    typeof key.sign === "function"
  );
}

/** As `ssh-keygen -l` prints it. */
export function hostKeyFingerprint(key: HostKey): string {
  return key instanceof PKey ? key.fingerprint() : fingerprintOf(key.publicBlob);
}
