import { describe, expect, it } from "vitest";
import { type CertificateUse, certificateProblem } from "../../../src/crypto/certificates/certificate-problem.js";
import { caSignatureAlgorithms } from "../../../src/crypto/keys/signature-algorithms.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { type CraftedCertificate, craftCertificate, optionText } from "../../support/crafted-certificate.js";
import { RSA_KEY } from "../../support/rsa-key.js";

const key = PKey.generate({ keyType: "ed25519" });
const authority = PKey.generate({ keyType: "ed25519" });
const NOW = new Date("2026-11-28T12:00:00.500Z");
const SECOND = 1795867200n;

function problem(crafted: Partial<CraftedCertificate> = {}, use: Partial<CertificateUse> = {}): string | undefined {
  const { certificate } = PKey.fromBlob(craftCertificate({ key, authority, ...crafted }));
  if (certificate === undefined) throw new Error("this is no certificate");
  return certificateProblem(certificate, { type: "user", now: NOW, ...use });
}

describe("certificateProblem", () => {
  it("finds none where nothing speaks against the certificate", () => {
    expect(BigInt(Math.floor(NOW.getTime() / 1000))).toBe(SECOND);
    expect(problem()).toBeUndefined();
    expect(problem({ type: 2 }, { type: "host" })).toBeUndefined();
    expect(problem({ extensions: [["unknown@example", "anything"]] })).toBeUndefined();
  });

  it("finds a certificate for the other use", () => {
    expect(problem({ type: 2 })).toBe("the certificate is for a host, not for a user");
    expect(problem({ type: 1 }, { type: "host" })).toBe("the certificate is for a user, not for a host");
  });

  it.each([
    { validAfter: SECOND, validBefore: SECOND + 1n, expected: undefined },
    { validAfter: SECOND + 1n, validBefore: SECOND + 2n, expected: "the certificate is not valid yet" },
    { validAfter: SECOND - 1n, validBefore: SECOND, expected: "the certificate is not valid any more" },
    { validAfter: SECOND, validBefore: SECOND, expected: "the certificate is not valid any more" },
    { validAfter: 0n, validBefore: 2n ** 64n - 2n, expected: undefined },
    { validAfter: 2n ** 64n - 1n, validBefore: 2n ** 64n - 1n, expected: "the certificate is not valid yet" },
    { validAfter: 0n, validBefore: 0n, expected: "the certificate is not valid any more" },
    { validAfter: 2n ** 63n, validBefore: 1n, expected: "the certificate is not valid yet" },
  ])("valid from $validAfter to before $validBefore", ({ expected, ...validity }) => {
    expect(problem(validity)).toBe(expected);
  });

  it("takes no certificate while it does not know the time", () => {
    expect(problem({}, { now: new Date(Number.NaN) })).toBe("the present time is not known");
    expect(problem({}, { now: new Date(-1) })).toBe("the certificate is not valid yet");
    expect(problem({}, { now: new Date(0) })).toBeUndefined();
  });

  it("takes no certificate for everybody", () => {
    expect(problem({ principals: [] })).toBe("the certificate names no principals");
  });

  it("takes the signatures that are allowed", () => {
    const rsa = RSA_KEY;
    const by = (algorithm: string) => ({ authority: rsa, sign: (data: Buffer) => rsa.sign(data, algorithm) });
    for (const algorithm of ["rsa-sha2-256", "rsa-sha2-512"]) {
      expect(problem(by(algorithm))).toBeUndefined();
      expect(problem(by(algorithm), { allowedSignatureAlgorithms: ["rsa-sha2-512"] })).toBe(
        algorithm === "rsa-sha2-512" ? undefined : "the certificate is signed with rsa-sha2-256, which is not allowed",
      );
      // The certificate's own name for it is not that of a signature.
      expect(problem(by(algorithm), { allowedSignatureAlgorithms: [`${algorithm}-cert-v01@openssh.com`] })).toContain(
        "not allowed",
      );
    }
    expect(problem({}, { allowedSignatureAlgorithms: [] })).toContain("ssh-ed25519, which is not allowed");
    expect(caSignatureAlgorithms).toEqual([
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256",
      "sk-ssh-ed25519@openssh.com",
      "sk-ecdsa-sha2-nistp256@openssh.com",
    ]);
  });

  it("takes the critical options that are known, of which hosts have none", () => {
    const known = [
      ["force-command", optionText("ls")],
      ["source-address", optionText("10.0.0.0/8")],
      ["verify-required", ""],
    ] as const;
    expect(problem({ criticalOptions: known })).toBeUndefined();
    expect(problem({ criticalOptions: known, type: 2 }, { type: "host" })).toContain("critical option force-command");
    expect(problem({ criticalOptions: [...known, ["new\n@example", ""]] })).toBe(
      "the certificate has the critical option new?@example, which is not known",
    );
    expect(problem({ criticalOptions: [["permit-pty", ""]] })).toContain("critical option permit-pty");
  });
});
