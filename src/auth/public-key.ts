import { KeyError } from "../crypto/keys/key-error.js";
import type { SecurityKeySignature } from "../crypto/keys/security-keys.js";
import { PKey } from "../crypto/pkey/pkey.js";
import type { UserauthRequest } from "../protocol/messages/userauth.js";
import {
  decodePublicKeyFields,
  encodePublicKeyOk,
  encodeSignedRequest,
  type PublicKeyFields,
} from "../protocol/messages/userauth-public-key.js";
import { type Attempt, proven, refused } from "./attempt.js";
import type { Authenticator } from "./authenticator.js";
import type { Grant } from "./grant.js";
import { type KeyAnswers, KeyDecision } from "./key-answers.js";
import { ALL_PERMISSIONS, intersectPermissions, type Permissions } from "./permissions.js";
import { ProvenKey } from "./proven-key.js";
import { checkUserCertificate } from "./user-certificate.js";

export const HOST_BOUND_METHOD = "publickey-hostbound-v00@openssh.com";

/** The connection to which the signature of a user's key is bound. */
export interface SignatureBinding {
  readonly sessionId: Buffer;
  /** The host key of this connection. */
  readonly hostKeyBlob: Buffer;
}

/** The state of a connection when a key is offered. */
export interface PublicKeyContext {
  readonly binding: SignatureBinding;
  readonly remoteAddress: string | undefined;
  readonly publicKeyAlgorithms: readonly string[];
  readonly caSignatureAlgorithms: readonly string[];
  /** Keys that this user has proven before. They do not count again. */
  readonly provenKeys: readonly PKey[];
  /** The answers of the hooks about keys that this user has offered. */
  readonly answers: KeyAnswers;
}

/**
 * Methods `publickey` (RFC 4252 §7) and `publickey-hostbound-v00@openssh.com` (OpenSSH PROTOCOL §3.1). A key that is
 * only offered never leaves as proven: that takes a signature, which is verified before the hook is asked. Before the hook is
 * asked about a certificate, everything that the certificate itself says is checked; the hook has to name its authority. A
 * question that a hook has answered a moment ago is not asked again; all other checks are made for each request.
 */
export async function attemptPublicKey(
  request: UserauthRequest,
  context: PublicKeyContext,
  authenticator: Authenticator,
): Promise<Attempt> {
  const { binding } = context;
  const fields = decodePublicKeyFields(request.fields, request.method === HOST_BOUND_METHOD ? "host-bound" : "plain");
  if (!context.publicKeyAlgorithms.includes(fields.algorithm))
    return refused("the signature algorithm is not accepted");
  if (fields.hostKeyBlob !== undefined && !fields.hostKeyBlob.equals(binding.hostKeyBlob)) {
    return refused("the request is bound to another host key");
  }
  const key = context.answers.acceptedKey(fields.keyBlob) ?? readKey(fields.keyBlob);
  if (typeof key === "string") return refused(key);
  const attempt = await attemptKey(key, fields, request, context, authenticator);
  return attempt.kind === "refused" ? refused(attempt.reason, key) : attempt;
}

async function attemptKey(
  key: PKey,
  fields: PublicKeyFields,
  request: UserauthRequest,
  context: PublicKeyContext,
  authenticator: Authenticator,
): Promise<Attempt> {
  const { binding, remoteAddress, caSignatureAlgorithms } = context;
  if (!key.signatureAlgorithms.includes(fields.algorithm))
    return refused("the key cannot sign with the algorithm of the request");
  if (context.provenKeys.some((known) => plainKey(known).equals(plainKey(key)))) {
    return refused("the key was proven already and counts once");
  }
  const { certificate } = key;
  const permitted =
    certificate === undefined
      ? ALL_PERMISSIONS
      : checkUserCertificate(certificate, { remoteAddress, now: new Date(), caSignatureAlgorithms });
  if (typeof permitted === "string") return refused(permitted);
  const { username } = request;
  const { algorithm, keyBlob, signature } = fields;
  const answers = context.answers.about(algorithm, keyBlob);
  const isRevoked = await answers.revoked.askedBy(async () => (await authenticator.isRevoked(key, username)) !== false);
  if (isRevoked) return refused("the key is revoked");

  let provenKey: ProvenKey | undefined;
  if (signature !== undefined) {
    const signed = encodeSignedRequest(binding.sessionId, request, fields);
    provenKey = ProvenKey.verify(key, signed, signature, algorithm);
    if (provenKey === undefined) return refused("the signature is wrong");
  }
  const decision = await answers.decision.askedBy(async () =>
    KeyDecision.from(await authenticator.publicKey(username, key, algorithm)),
  );
  if (decision === undefined) return refused(authenticator.refusalReason() ?? "the key is not accepted");
  if (certificate !== undefined && !decision.namesAuthorityOf(certificate)) {
    return refused("the decision does not name the certificate's authority");
  }
  if (provenKey === undefined) {
    context.answers.accept(key);
    return { kind: "continue", reply: encodePublicKeyOk(algorithm, keyBlob) };
  }
  return attemptFromProvenKey(provenKey, decision.grantTo(provenKey), permitted);
}

function attemptFromProvenKey({ key, securityKey }: ProvenKey, grant: Grant, permitted: Permissions): Attempt {
  const problem = securityKey && securityKeyProblem(securityKey, grant, key);
  if (problem !== undefined) return refused(problem);
  const permissions = intersectPermissions(permitted, grant.permissions);
  if (permissions === undefined) return refused("the certificate and the decision force different commands");
  return {
    ...proven(grant),
    permissions,
    publicKey: key,
    ...(securityKey && { securityKey: Object.freeze({ key, ...securityKey }) }),
  };
}

/** @returns the reason where the blob is not a key */
function readKey(blob: Buffer): PKey | string {
  try {
    return PKey.fromBlob(blob);
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}

/** A certificate proves the key in it. */
function plainKey(key: PKey): PKey {
  return key.certificate?.publicKey ?? key;
}

/** A touch is needed unless the certificate, where there is one, and the decision do without. */
function securityKeyProblem(
  { userPresent, userVerified }: SecurityKeySignature,
  { touch, verification }: Grant,
  { certificate }: PKey,
): string | undefined {
  const untouched = touch === "optional" && certificate?.noTouchRequired !== false;
  if (!userPresent && !untouched) return "the security key was not touched";
  const needsVerification = verification === "required" || certificate?.verifyRequired === true;
  return needsVerification && !userVerified ? "the security key has not verified its user" : undefined;
}
