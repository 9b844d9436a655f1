import type { RefusedAttempt } from "../auth/authentication.js";
import type { Identity } from "../auth/authenticator.js";
import { loggedText } from "../base/logged-text.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { Ending } from "../endpoint/endpoint.js";
import { DisconnectReason } from "../protocol/constants.js";

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

/** What the log tells of how a connection has come to its end. */
export function endRecord(ending: Ending): object {
  switch (ending.kind) {
    case "left":
      return { cause: ending.cause, ...ending.details };
    case "violated": {
      const { message, reason, cause } = ending.error;
      return { cause: message, reason, ...(cause !== undefined && { err: cause }) };
    }
    case "failed":
      return { cause: "internal error" };
    case "overdue":
      return { cause: ending.cause, reason: DisconnectReason.BY_APPLICATION };
    case "disconnected":
      return { cause: ending.cause, reason: ending.reason };
  }
}

function keyRecord(key: PKey): object {
  const { keyType, certificate } = key;
  const record = { keyType, fingerprint: key.fingerprint() };
  if (certificate === undefined) return record;
  const { keyId, serial, signatureKey } = certificate;
  // JSON has no large integers.
  return { ...record, keyId: loggedText(keyId), serial: `${serial}`, authority: signatureKey.fingerprint() };
}
