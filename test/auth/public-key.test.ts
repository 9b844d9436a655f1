import { describe, expect, it } from "vitest";
import { KeyAnswers } from "../../src/auth/key-answers.js";
import { attemptPublicKey, type PublicKeyContext } from "../../src/auth/public-key.js";
import { certificateAlgorithms } from "../../src/crypto/certificates/certificate-algorithms.js";
import { caSignatureAlgorithms, signatureAlgorithms } from "../../src/crypto/keys/signature-algorithms.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { decodeUserauthRequest } from "../../src/protocol/messages/userauth.js";
import { encodePublicKeyOk } from "../../src/protocol/messages/userauth-public-key.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  userauthRequest,
} from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { TestAuthenticator } from "./test-authenticator.js";

const ed25519 = PKey.generate({ keyType: "ed25519" });
const other = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa", bits: 384 });
const rsa = RSA_KEY;
const hostKey = PKey.generate({ keyType: "ed25519" }).publicBlob;

const sessionId = Buffer.alloc(32, 7);
const context: Omit<PublicKeyContext, "answers"> = {
  binding: { sessionId, hostKeyBlob: hostKey },
  remoteAddress: "192.0.2.1",
  publicKeyAlgorithms: [...certificateAlgorithms, ...signatureAlgorithms],
  caSignatureAlgorithms,
  provenKeys: [other],
};

const requestFor = (key: PKey, change: Partial<PublickeyRequest> = {}): PublickeyRequest => ({
  username: "alice",
  algorithm: key.signatureAlgorithms[0] ?? "",
  publicBlob: key.publicBlob,
  ...change,
});

async function attempt(payload: Buffer, publicKey: () => unknown = () => AUTH_SUCCESSFUL) {
  const authenticator = new TestAuthenticator({ publicKey });
  const outcome = await attemptPublicKey(
    decodeUserauthRequest(payload),
    { ...context, answers: new KeyAnswers(6) },
    authenticator,
  );
  return { attempt: outcome, calls: authenticator.calls };
}

function proof(key: PKey, request: PublickeyRequest, session: Buffer = sessionId): Buffer {
  return publickeyProof(request, key.sign(publickeySignedData(session, request), request.algorithm));
}

const refusedUnasked = {
  attempt: expect.objectContaining({ kind: "refused", reason: expect.any(String) }),
  calls: [],
};

describe("attemptPublicKey: a query", () => {
  it.each([AUTH_SUCCESSFUL, AUTH_PARTIAL])(
    "is answered when the key would do (%i), and proves nothing",
    async (result) => {
      const { attempt: outcome, calls } = await attempt(publickeyQuery(requestFor(ed25519)), () => result);
      expect(outcome).toEqual({ kind: "continue", reply: encodePublicKeyOk("ssh-ed25519", ed25519.publicBlob) });
      expect(calls.map(([name, username]) => [name, username])).toEqual([["publicKey", "alice"]]);
    },
  );
});

describe("attemptPublicKey: a signature", () => {
  it.each([
    ["ssh-ed25519", ed25519],
    ["ecdsa-sha2-nistp384", ecdsa],
    ["rsa-sha2-512", rsa],
    ["rsa-sha2-256", rsa],
  ])("with %s proves the key", async (algorithm, key) => {
    const { attempt: outcome, calls } = await attempt(proof(key, requestFor(key, { algorithm })));
    expect(outcome).toMatchObject({ kind: "proven", completeness: "full" });
    if (outcome.kind !== "proven") throw new Error("not proven");
    expect(outcome.publicKey?.equals(key)).toBe(true);
    expect(outcome.publicKey?.hasPrivateKey).toBe(false);
    expect(calls.length).toBe(1);
  });

  it("is not enough without the hook", async () => {
    expect((await attempt(proof(ed25519, requestFor(ed25519)), () => AUTH_FAILED)).attempt.kind).toBe("refused");
    expect((await attempt(proof(ed25519, requestFor(ed25519)), () => AUTH_PARTIAL)).attempt).toMatchObject({
      kind: "proven",
      completeness: "partial",
    });
  });

  it("is refused when any of its bits is another", async () => {
    const payload = proof(ed25519, requestFor(ed25519));
    for (let index = payload.length - 64; index < payload.length; index++) {
      const changed = Buffer.from(payload);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect((await attempt(changed)).attempt.kind, `byte ${index}`).toBe("refused");
    }
  });
});

describe("attemptPublicKey: the host-bound method", () => {
  it("proves the key for this host", async () => {
    const request = requestFor(ed25519, { hostKey });
    expect((await attempt(proof(ed25519, request))).attempt.kind).toBe("proven");
    expect((await attempt(publickeyQuery(request))).attempt.kind).toBe("continue");
  });
});

describe("attemptPublicKey: a key that was proven before", () => {
  it("does not count again", async () => {
    expect(await attempt(publickeyQuery(requestFor(other)))).toEqual(refusedUnasked);
    expect(await attempt(proof(other, requestFor(other)))).toEqual(refusedUnasked);
    expect(await attempt(proof(other, requestFor(other, { hostKey })))).toEqual(refusedUnasked);
  });
});

it("attemptPublicKey refuses malformed fields", async () => {
  const cut = userauthRequest("alice", "publickey").writeBoolean(true).writeString("ssh-ed25519").toBuffer();
  await expect(attempt(cut)).rejects.toThrow(ProtocolError);
  const extra = Buffer.concat([publickeyQuery(requestFor(ed25519)), Buffer.of(0)]);
  await expect(attempt(extra)).rejects.toThrow(ProtocolError);
});
