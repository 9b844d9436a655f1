import type { RefusedAttempt } from "../auth/authentication.js";
import type { Identity } from "../auth/authenticator.js";
import { loggedText } from "../base/logged-text.js";
import { systemErrorCode } from "../base/system-error-code.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { ConnectionEnd } from "../endpoint/connection-end.js";

/** The fields of the log for a user who has logged in. */
export function loginRecord({ methods, publicKeys }: Identity): object {
  return { methods, ...(publicKeys.length > 0 && { keys: publicKeys.map(keyRecord) }) };
}

/** The fields of the log for an attempt that was refused. */
export function refusalRecord({ username, method, reason, offeredKey }: RefusedAttempt): object {
  return {
    username: loggedText(username),
    method: loggedText(method),
    reason,
    ...(offeredKey && { key: keyRecord(offeredKey) }),
  };
}

/** The fields of the log for the end of a connection. */
export function endRecord(end: ConnectionEnd): object {
  switch (end.kind) {
    case "left": {
      const { cause, reason, description, error } = end;
      return {
        cause,
        ...(reason !== undefined && { reason }),
        ...(description !== undefined && { description }),
        ...streamErrorRecord(error),
      };
    }
    case "violated": {
      const { cause, reason, error } = end;
      return { cause, reason, ...(error.cause !== undefined && { err: error.cause }) };
    }
    default:
      return { cause: end.cause, reason: end.reason };
  }
}

/**
 * The fields of the log for the error that a stream has ended with. An error of the system, such as ECONNRESET, comes every day, and
 * its stack names Node.js alone: its code and message say all.
 */
export function streamErrorRecord(error: Error | undefined): object {
  if (error === undefined) return {};
  const code = systemErrorCode(error);
  if (code === undefined || !("syscall" in error)) return { err: error };
  return { code, error: loggedText(error.message) };
}

function keyRecord(key: PKey): object {
  const { keyType, certificate } = key;
  const record = { keyType, fingerprint: key.fingerprint() };
  if (certificate === undefined) return record;
  const { keyId, serial, signatureKey } = certificate;
  // JSON has no large integers.
  return { ...record, keyId: loggedText(keyId), serial: `${serial}`, authority: signatureKey.fingerprint() };
}
