import { describe, expect, it } from "vitest";
import { Grant, type GrantOptions } from "../../src/auth/grant.js";
import { KeyAnswers } from "../../src/auth/key-answers.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { attemptPublicKey, type PublicKeyContext } from "../../src/auth/public-key.js";
import { certificateAlgorithms } from "../../src/crypto/certificates/certificate-algorithms.js";
import { caSignatureAlgorithms, signatureAlgorithms } from "../../src/crypto/keys/signature-algorithms.js";
import type { SignCertificateOptions } from "../../src/crypto/pkey/pkey.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { decodeUserauthRequest } from "../../src/protocol/messages/userauth.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
} from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { SoftwareSecurityKey, USER_PRESENT, USER_VERIFIED } from "../support/security-key.js";
import { TestAuthenticator } from "./test-authenticator.js";

const sessionId = Buffer.alloc(32, 7);
const user = PKey.generate({ keyType: "ed25519" });
const rsa = RSA_KEY;
const authority = PKey.generate({ keyType: "ecdsa" });
const stranger = PKey.generate({ keyType: "ed25519" });
const securityKey = new SoftwareSecurityKey("ed25519");

const certify = (options: Partial<SignCertificateOptions> = {}, ca = authority): PKey =>
  ca.signCertificate({ publicKey: user, type: "user", keyId: "user", principals: ["alice"], ...options });
const trusting = (options: GrantOptions = {}) => new Grant({ authority, ...options });

const requestFor = (key: PKey, algorithm = key.signatureAlgorithms[0] ?? ""): PublickeyRequest => ({
  username: "alice",
  algorithm,
  publicBlob: key.publicBlob,
});

/** The request of somebody who holds `signer`, the private half of the key in a certificate. */
function proof(certificate: PKey, signer = user, algorithm?: string): Buffer {
  const request = requestFor(certificate, algorithm);
  const plain = request.algorithm.replace("-cert-v01@openssh.com", "");
  return publickeyProof(request, signer.sign(publickeySignedData(sessionId, request), plain));
}

function securityKeyProof(flags: number, key = securityKey.key): Buffer {
  const request = requestFor(key);
  return publickeyProof(request, securityKey.sign(publickeySignedData(sessionId, request), { flags, counter: 41 }));
}

async function attempt(payload: Buffer, decision: unknown, context: Partial<PublicKeyContext> = {}) {
  const authenticator = new TestAuthenticator({ publicKey: () => decision });
  const outcome = await attemptPublicKey(
    decodeUserauthRequest(payload),
    {
      binding: { sessionId, hostKeyBlob: Buffer.from("host key") },
      remoteAddress: "192.0.2.1",
      publicKeyAlgorithms: [...certificateAlgorithms, ...signatureAlgorithms],
      caSignatureAlgorithms,
      provenKeys: [],
      answers: new KeyAnswers(6),
      ...context,
    },
    authenticator,
  );
  return { outcome, asked: authenticator.calls.length };
}

const refusal = (reason: string | RegExp) => ({
  kind: "refused",
  reason: expect.stringMatching(reason),
  offeredKey: expect.any(PKey),
});

describe("a certificate", () => {
  it("lets in with a grant that names its authority, and permits what it says", async () => {
    const certificate = certify({ extensions: { "permit-pty": "" }, criticalOptions: { "force-command": "date" } });
    const { outcome } = await attempt(proof(certificate), trusting({ permissions: { userRc: true } }));
    expect(outcome).toMatchObject({
      kind: "proven",
      completeness: "full",
      permissions: {
        pty: true,
        portForwarding: false,
        agentForwarding: false,
        x11Forwarding: false,
        userRc: false,
        forceCommand: "date",
      },
    });
    if (outcome.kind !== "proven") throw new Error("unreachable");
    expect(outcome.publicKey?.equals(certificate)).toBe(true);
  });

  it("permits no more than the decision does", async () => {
    const extensions = { "permit-pty": "", "permit-port-forwarding": "" };
    const { outcome } = await attempt(proof(certify({ extensions })), trusting({ permissions: { pty: false } }));
    expect(outcome).toMatchObject({ permissions: { pty: false, portForwarding: true } });
  });

  it.each<[string, Partial<SignCertificateOptions>, RegExp]>([
    ["for other addresses", { criticalOptions: { "source-address": "198.51.100.0/24" } }, /not for this address/],
    [
      "for an address as no client has it",
      { criticalOptions: { "source-address": "::ffff:192.0.2.1" } },
      /not for this/,
    ],
    ["with a list that is none", { criticalOptions: { "source-address": "192.0.2.1/24" } }, /malformed/],
    [
      "with more addresses than anybody needs",
      { criticalOptions: { "source-address": `192.0.2.1${",192.0.2.1".repeat(1024)}` } },
      /too long/,
    ],
    ["with a wildcard for addresses", { criticalOptions: { "source-address": "*" } }, /malformed/],
  ])("%s is refused before the hook is asked", async (_, options, reason) => {
    expect(await attempt(proof(certify(options)), trusting())).toEqual({ outcome: refusal(reason), asked: 0 });
  });

  it("for this address counts, and for no address that is not known", async () => {
    const certificate = certify({ criticalOptions: { "source-address": "10.0.0.0/8,192.0.2.0/24" } });
    expect((await attempt(proof(certificate), trusting())).outcome.kind).toBe("proven");
    const unknown = await attempt(proof(certificate), trusting(), { remoteAddress: undefined });
    expect(unknown.outcome).toEqual(refusal("not for this address"));
  });

  it("takes the signature of the key in it", async () => {
    const reason = "the signature is wrong";
    expect(await attempt(proof(certify(), stranger), trusting())).toEqual({ outcome: refusal(reason), asked: 0 });
  });

  it("is not taken under the name of a plain algorithm, nor a plain key under that of a certificate", async () => {
    const reason = "the key cannot sign with the algorithm";
    const asPlain = publickeyQuery(requestFor(certify(), "ssh-ed25519"));
    expect((await attempt(asPlain, trusting())).outcome).toEqual(refusal(reason));
    const asCertificate = publickeyQuery(requestFor(user, "ssh-ed25519-cert-v01@openssh.com"));
    expect((await attempt(asCertificate, trusting())).outcome).toEqual(refusal(reason));
  });

  it("of an RSA key counts with the hash that was asked for only", async () => {
    const certificate = certify({ publicKey: rsa });
    const name = "rsa-sha2-512-cert-v01@openssh.com";
    expect((await attempt(proof(certificate, rsa, name), trusting())).outcome.kind).toBe("proven");
    const request = requestFor(certificate, name);
    const other = publickeyProof(request, rsa.sign(publickeySignedData(sessionId, request), "rsa-sha2-256"));
    expect((await attempt(other, trusting())).outcome).toEqual(refusal("the signature is wrong"));
  });

  it("signed with an algorithm that is not allowed is refused, and so is a name that is not accepted", async () => {
    const context = { caSignatureAlgorithms: ["ssh-ed25519"] };
    expect((await attempt(proof(certify()), trusting(), context)).outcome).toEqual(refusal("not allowed"));
    const plainOnly = { publicKeyAlgorithms: signatureAlgorithms };
    expect((await attempt(proof(certify()), trusting(), plainOnly)).outcome).toEqual({
      kind: "refused",
      reason: "the signature algorithm is not accepted",
    });
  });

  it("that is refused is named with the refusal", async () => {
    const certificate = certify();
    for (const payload of [proof(certificate), publickeyQuery(requestFor(certificate))]) {
      const { outcome } = await attempt(payload, undefined);
      if (outcome.kind !== "refused") throw new Error(`it is ${outcome.kind}`);
      expect(outcome.offeredKey?.equals(certificate)).toBe(true);
    }
  });

  it("is the same factor as its key, and as another certificate of it", async () => {
    const reason = "counts once";
    const certificate = certify();
    expect((await attempt(proof(certificate), trusting(), { provenKeys: [user] })).outcome).toEqual(refusal(reason));
    expect((await attempt(proof(certify()), trusting(), { provenKeys: [certificate] })).outcome).toEqual(
      refusal(reason),
    );
    expect((await attempt(proof(user), AUTH_SUCCESSFUL, { provenKeys: [certificate] })).outcome).toEqual(
      refusal(reason),
    );
  });

  it("that forces another command than the decision is refused", async () => {
    const certificate = certify({ criticalOptions: { "force-command": "date" } });
    const { outcome } = await attempt(proof(certificate), trusting({ permissions: { forceCommand: "id" } }));
    expect(outcome).toEqual(refusal("different commands"));
  });

  it("that is revoked is refused, and the list is asked about the certificate itself", async () => {
    const asked: PKey[] = [];
    const certificate = certify();
    const authenticator = new TestAuthenticator({
      isRevoked: (key) => asked.push(key) > 0,
      publicKey: () => trusting(),
    });
    const context: PublicKeyContext = {
      binding: { sessionId, hostKeyBlob: Buffer.alloc(0) },
      remoteAddress: undefined,
      publicKeyAlgorithms: certificateAlgorithms,
      caSignatureAlgorithms,
      provenKeys: [],
      answers: new KeyAnswers(6),
    };
    const outcome = await attemptPublicKey(decodeUserauthRequest(proof(certificate)), context, authenticator);
    expect([outcome, asked[0]?.certificate?.signatureKey.equals(authority)]).toEqual([refusal("revoked"), true]);
  });
});

describe("a security key", () => {
  it("lets in when it was touched, and tells its counter", async () => {
    const { outcome } = await attempt(securityKeyProof(USER_PRESENT), AUTH_SUCCESSFUL);
    expect(outcome).toMatchObject({
      kind: "proven",
      permissions: ALL_PERMISSIONS,
      securityKey: { counter: 41, userPresent: true, userVerified: false },
    });
  });

  it.each<[flags: number, decision: unknown, accepted: boolean]>([
    [0, AUTH_SUCCESSFUL, false],
    [0, new Grant(), false],
    [0, new Grant({ touch: "optional" }), true],
    [USER_PRESENT, new Grant({ verification: "required" }), false],
    [USER_VERIFIED, new Grant({ verification: "required" }), false],
    [USER_PRESENT | USER_VERIFIED, new Grant({ verification: "required" }), true],
    [USER_VERIFIED, new Grant({ verification: "required", touch: "optional" }), true],
  ])("with the flags %i and the decision %o: %s", async (flags, decision, accepted) => {
    const { outcome } = await attempt(securityKeyProof(flags), decision);
    expect(outcome.kind).toBe(accepted ? "proven" : "refused");
  });

  it.each<[string, Partial<SignCertificateOptions>, GrantOptions, number, boolean]>([
    ["untouched", {}, { touch: "optional" }, 0, false],
    ["untouched, as it may", { extensions: { "no-touch-required": "" } }, { touch: "optional" }, 0, true],
    ["untouched, as the server forbids", { extensions: { "no-touch-required": "" } }, {}, 0, false],
    ["not verified", { criticalOptions: { "verify-required": "" } }, {}, USER_PRESENT, false],
    ["verified", { criticalOptions: { "verify-required": "" } }, {}, USER_PRESENT | USER_VERIFIED, true],
  ])("in a certificate, %s", async (_, options, grant, flags, accepted) => {
    const certificate = certify({ publicKey: securityKey.key, ...options });
    const { outcome } = await attempt(securityKeyProof(flags, certificate), trusting(grant));
    expect(outcome.kind).toBe(accepted ? "proven" : "refused");
  });
});
