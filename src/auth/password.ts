import type { UserauthRequest } from "../protocol/messages/userauth.js";
import { decodePasswordFields, encodePasswordChangeRequest } from "../protocol/messages/userauth-password.js";
import { type Attempt, attemptFrom, refused } from "./attempt.js";
import type { Authenticator, PasswordChangeRequired } from "./authenticator.js";
import type { AuthDecision } from "./grant.js";

/** Longest password that reaches a hook, bytes: hashing may cost as much as the client likes to send. */
const MAX_PASSWORD_LENGTH = 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Method `password` (RFC 4252 §8), with password change. */
export async function attemptPassword(request: UserauthRequest, authenticator: Authenticator): Promise<Attempt> {
  const fields = decodePasswordFields(request.fields);
  const password = decode(fields.password);
  if (password === undefined) return refused("the password is too long or not UTF-8");
  let result: AuthDecision | PasswordChangeRequired;
  if (fields.newPassword === undefined) {
    result = await authenticator.password(request.username, password);
  } else {
    const newPassword = decode(fields.newPassword);
    if (newPassword === undefined) return refused("the new password is too long or not UTF-8");
    result = await authenticator.passwordChange(request.username, password, newPassword);
  }
  if (isPasswordChangeRequired(result)) {
    return { kind: "continue", reply: encodePasswordChangeRequest(result.passwordChangeRequired) };
  }
  return attemptFrom(result, authenticator.refusalReason());
}

export function isPasswordChangeRequired(result: unknown): result is PasswordChangeRequired {
  return (
    typeof result === "object" &&
    result !== null &&
    "passwordChangeRequired" in result &&
    typeof result.passwordChangeRequired === "string"
  );
}

function decode(bytes: Buffer): string | undefined {
  if (bytes.length > MAX_PASSWORD_LENGTH) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
