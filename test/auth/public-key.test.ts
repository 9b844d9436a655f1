import { describe, expect, it } from "vitest";
import { attemptPublicKey, type PublicKeyContext } from "../../src/auth/public-key.js";
import {
  caSignatureAlgorithms,
  certificateAlgorithms,
  signatureAlgorithms,
} from "../../src/crypto/keys/signature-algorithms.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { decodeUserauthRequest, encodePublicKeyOk } from "../../src/protocol/messages/userauth.js";
import { Writer } from "../../src/protocol/writer.js";
import { generateKeys } from "../support/generated-keys.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  userauthRequest,
} from "../support/packet-messages.js";
import { NOT_SUCCESSFUL } from "./hook-results.js";
import { TestAuthenticator } from "./test-authenticator.js";

const ed25519 = PKey.generate({ keyType: "ed25519" });
const other = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa", bits: 384 });
const rsa = PKey.generate({ keyType: "rsa", bits: 2048 });
const hostKey = PKey.generate({ keyType: "ed25519" }).publicBlob;

const sessionId = Buffer.alloc(32, 7);
const context: PublicKeyContext = {
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
  const outcome = await attemptPublicKey(decodeUserauthRequest(payload), context, authenticator);
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

  it.each(NOT_SUCCESSFUL)("is refused for a hook that returns %s", async (_, result) => {
    expect((await attempt(publickeyQuery(requestFor(ed25519)), () => result)).attempt.kind).toBe("refused");
  });
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

  it.each([
    ["of another session", proof(ed25519, requestFor(ed25519), Buffer.alloc(32, 8))],
    ["by another key", proof(other, requestFor(ed25519))],
    [
      "with another algorithm of the key",
      publickeyProof(requestFor(rsa), rsa.sign(publickeySignedData(sessionId, requestFor(rsa)), "rsa-sha2-256")),
    ],
    [
      "for another user",
      publickeyProof(
        requestFor(ed25519),
        ed25519.sign(publickeySignedData(sessionId, requestFor(ed25519, { username: "bob" }))),
      ),
    ],
    [
      "for another service",
      publickeyProof(
        requestFor(ed25519),
        ed25519.sign(publickeySignedData(sessionId, requestFor(ed25519, { service: "ssh-userauth" }))),
      ),
    ],
    ["that is empty", publickeyProof(requestFor(ed25519), Buffer.alloc(0))],
    ["that is random", publickeyProof(requestFor(ed25519), Buffer.alloc(83, 1))],
    [
      "of a query",
      publickeyProof(
        requestFor(ed25519),
        ed25519.sign(
          new Writer()
            .writeString(sessionId)
            .writeBytes(publickeyQuery(requestFor(ed25519)))
            .toBuffer(),
        ),
      ),
    ],
  ])("%s is refused before the hook is asked", async (_, payload) => {
    expect(await attempt(payload)).toEqual(refusedUnasked);
  });

  it("is refused when any of its bits is another", async () => {
    const payload = proof(ed25519, requestFor(ed25519));
    for (let index = payload.length - 64; index < payload.length; index++) {
      const changed = Buffer.from(payload);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect((await attempt(changed)).attempt.kind, `byte ${index}`).toBe("refused");
    }
  });

  it("of the plain method is no signature of the host-bound one, nor the other way round", async () => {
    const plain = requestFor(ed25519);
    const bound = requestFor(ed25519, { hostKey });
    const signatureOf = (request: PublickeyRequest) => ed25519.sign(publickeySignedData(sessionId, request));
    expect(await attempt(publickeyProof(plain, signatureOf(bound)))).toEqual(refusedUnasked);
    expect(await attempt(publickeyProof(bound, signatureOf(plain)))).toEqual(refusedUnasked);
  });
});

describe("attemptPublicKey: the host-bound method", () => {
  it("proves the key for this host", async () => {
    const request = requestFor(ed25519, { hostKey });
    expect((await attempt(proof(ed25519, request))).attempt.kind).toBe("proven");
    expect((await attempt(publickeyQuery(request))).attempt.kind).toBe("continue");
  });

  it("is refused for another host, even with a right signature", async () => {
    const request = requestFor(ed25519, { hostKey: other.publicBlob });
    expect(await attempt(proof(ed25519, request))).toEqual(refusedUnasked);
    expect(await attempt(publickeyQuery(request))).toEqual(refusedUnasked);
  });
});

describe("attemptPublicKey: a key that was proven before", () => {
  it("does not count again", async () => {
    expect(await attempt(publickeyQuery(requestFor(other)))).toEqual(refusedUnasked);
    expect(await attempt(proof(other, requestFor(other)))).toEqual(refusedUnasked);
    expect(await attempt(proof(other, requestFor(other, { hostKey })))).toEqual(refusedUnasked);
  });
});

describe("attemptPublicKey: keys and algorithms", () => {
  /** RSA with a modulus that only looks at the size. */
  function rsaBlob(bits: number): Buffer {
    const { n, e } = generateKeys("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" });
    const [modulus, exponent] = [n, e].map((field) => Buffer.from(field ?? "", "base64url"));
    if (modulus === undefined || exponent === undefined) throw new Error("no modulus");
    return new Writer().writeString("ssh-rsa").writeMpint(exponent).writeMpint(modulus).toBuffer();
  }

  it.each([
    ["an algorithm that nobody knows", requestFor(ed25519, { algorithm: "unknown" })],
    ["SHA-1", requestFor(rsa, { algorithm: "ssh-rsa" })],
    ["an algorithm of another type of key", requestFor(ed25519, { algorithm: "ecdsa-sha2-nistp256" })],
    ["an algorithm of another curve", requestFor(ecdsa, { algorithm: "ecdsa-sha2-nistp256" })],
    ["RSA of 1024 bits", requestFor(rsa, { publicBlob: rsaBlob(1024) })],
    ["a blob that is no key", requestFor(ed25519, { publicBlob: Buffer.from("no key") })],
    ["an empty blob", requestFor(ed25519, { publicBlob: Buffer.alloc(0) })],
    ["bytes behind the key", requestFor(ed25519, { publicBlob: Buffer.concat([ed25519.publicBlob, Buffer.of(0)]) })],
  ])("%s is refused before the hook is asked", async (_, request) => {
    expect(await attempt(publickeyQuery(request))).toEqual(refusedUnasked);
    expect(await attempt(publickeyProof(request, Buffer.alloc(64)))).toEqual(refusedUnasked);
  });

  it("refuses malformed fields", async () => {
    const cut = userauthRequest("alice", "publickey").writeBoolean(true).writeString("ssh-ed25519").toBuffer();
    await expect(attempt(cut)).rejects.toThrow(ProtocolError);
    const extra = Buffer.concat([publickeyQuery(requestFor(ed25519)), Buffer.of(0)]);
    await expect(attempt(extra)).rejects.toThrow(ProtocolError);
  });
});
