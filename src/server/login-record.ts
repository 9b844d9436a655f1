import type { RefusedAttempt } from "../auth/authentication.js";
import type { Identity } from "../auth/authenticator.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import { loggedText } from "./logged-text.js";

/** What the log tells of somebody who has logged in. */
export function loginRecord({ methods, publicKeys }: Identity): object {
  return { methods, ...(publicKeys.length > 0 && { keys: publicKeys.map(keyRecord) }) };
}

/** What the log tells of an attempt that was refused. */
export function refusalRecord({ username, method, reason, offeredKey }: RefusedAttempt): object {
  return {
    username: loggedText(username),
    method: loggedText(method),
    reason,
    ...(offeredKey && { key: keyRecord(offeredKey) }),
  };
}

function keyRecord(key: PKey): object {
  const { keyType, certificate } = key;
  const record = { keyType, fingerprint: key.fingerprint() };
  if (certificate === undefined) return record;
  const { keyId, serial, signatureKey } = certificate;
  // JSON has no large integers.
  return { ...record, keyId: loggedText(keyId), serial: `${serial}`, authority: signatureKey.fingerprint() };
}
