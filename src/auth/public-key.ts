import { KeyError } from "../crypto/keys/key-error.js";
import { PKey } from "../crypto/keys/pkey.js";
import { signatureAlgorithms } from "../crypto/keys/signature-algorithms.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../protocol/constants.js";
import {
  decodePublicKeyFields,
  encodePublicKeyOk,
  encodeSignedRequest,
  type PublicKeyFields,
  type UserauthRequest,
} from "../protocol/messages/userauth.js";
import { type Attempt, attemptFrom, refused } from "./attempt.js";
import type { Authenticator } from "./authenticator.js";

export const HOST_BOUND_METHOD = "publickey-hostbound-v00@openssh.com";

/** What the signature of a user's key is bound to. */
export interface SignatureBinding {
  readonly sessionId: Buffer;
  /** The host key of this connection. */
  readonly hostKeyBlob: Buffer;
}

/**
 * Methods `publickey` (RFC 4252 §7) and `publickey-hostbound-v00@openssh.com` (OpenSSH PROTOCOL §3.1). A key that is
 * only offered never leaves as proven: that takes a signature, which is verified before the hook is asked.
 *
 * @param provenKeys keys this user has proven before, of which none counts again
 */
export async function attemptPublicKey(
  request: UserauthRequest,
  binding: SignatureBinding,
  provenKeys: readonly PKey[],
  authenticator: Authenticator,
): Promise<Attempt> {
  const fields = decodePublicKeyFields(request.fields, request.method === HOST_BOUND_METHOD ? "host-bound" : "plain");
  if (!signatureAlgorithms.includes(fields.algorithm)) return refused("the signature algorithm is not accepted");
  if (fields.hostKeyBlob !== undefined && !fields.hostKeyBlob.equals(binding.hostKeyBlob)) {
    return refused("the request is bound to another host key");
  }
  const key = readKey(fields);
  if (key === undefined) return refused("the key is malformed, too weak or does not fit its algorithm");
  if (provenKeys.some((proven) => proven.equals(key))) return refused("the key was proven already: it is one factor");
  if ((await authenticator.isRevoked(key)) !== false) return refused("the key is revoked");

  if (fields.signature === undefined) {
    const result: unknown = await authenticator.publicKey(request.username, key);
    if (result !== AUTH_SUCCESSFUL && result !== AUTH_PARTIAL) return refused("the key is not accepted");
    return { kind: "continue", reply: encodePublicKeyOk(fields.algorithm, fields.keyBlob) };
  }
  if (!key.verify(encodeSignedRequest(binding.sessionId, request, fields), fields.signature, fields.algorithm)) {
    return refused("the signature is wrong");
  }
  const attempt = attemptFrom(await authenticator.publicKey(request.username, key));
  return attempt.kind === "proven" ? { ...attempt, publicKey: key } : attempt;
}

function readKey(fields: PublicKeyFields): PKey | undefined {
  try {
    const key = PKey.fromBlob(fields.keyBlob);
    return key.signatureAlgorithms.includes(fields.algorithm) ? key : undefined;
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}
