import type { Identity } from "../auth/authenticator.js";
import type { PKey } from "../crypto/keys/pkey.js";

/** What the log tells of somebody who has logged in. */
export function loginRecord({ methods, publicKeys }: Identity): object {
  return { methods, ...(publicKeys.length > 0 && { keys: publicKeys.map(keyRecord) }) };
}

function keyRecord(key: PKey): object {
  const { keyType, certificate } = key;
  const record = { keyType, fingerprint: key.fingerprint() };
  if (certificate === undefined) return record;
  const { keyId, serial, signatureKey } = certificate;
  // JSON has no large integers.
  return { ...record, keyId, serial: `${serial}`, authority: signatureKey.fingerprint() };
}
