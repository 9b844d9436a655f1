import { chmodSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SignCertificateOptions } from "../../../src/crypto/pkey/pkey.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs, QUICK_KEX, TOOLS } from "../../support/clients.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { SoftwareSecurityKey } from "../../support/security-key.js";
import { OpensshServer } from "../../support/server-openssh.js";
import * as tools from "../../support/tools.js";
import { listed, listing } from "../certificates/listing.js";
import { codeOf } from "../keys/key-error-code.js";
import { temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();
const plain = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 384 }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
];
const securityKeys = [new SoftwareSecurityKey("ed25519").key, new SoftwareSecurityKey("ecdsa").key];
const [authority, subject] = plain as [PKey, PKey];
const minimal = { publicKey: subject.publicKey, type: "user", keyId: "an ID", principals: ["alice"] } as const;

let counter = 0;
function expectListed(key: PKey): void {
  const path = join(directory, `certificate-${counter++}.pub`);
  writeFileSync(path, `${key.toPublicString()}\n`);
  expect(listed(path)).toBe(listing(key));
}

describe("signCertificate", needs("ssh-keygen"), () => {
  it.each([...plain, ...securityKeys].map((key) => [key.keyType, key] as const))("of a key of type %s", (_, key) => {
    for (const publicKey of [key, key.publicKey]) {
      const signed = authority.signCertificate({ ...minimal, publicKey });
      expectListed(signed);
      expect(signed.hasPrivateKey).toBe(false);
      expect(signed.certificate?.publicKey.equals(key)).toBe(true);
      expect(PKey.fromString(signed.toPublicString()).equals(signed)).toBe(true);
    }
  });

  it.each(plain.map((key) => [key.keyType, key] as const))("by an authority of type %s", (_, key) => {
    for (const signatureAlgorithm of key.signatureAlgorithms) {
      const signed = key.signCertificate({ ...minimal, signatureAlgorithm });
      expectListed(signed);
      expect(signed.certificate?.signatureKey.equals(key)).toBe(true);
      expect(signed.certificate?.signatureAlgorithm).toBe(signatureAlgorithm);
    }
    expect(key.signCertificate(minimal).certificate?.signatureAlgorithm).toBe(key.signatureAlgorithms[0]);
  });

  it("with everything", () => {
    const signed = authority.signCertificate({
      publicKey: subject,
      type: "user",
      keyId: "Zoë’s laptop",
      serial: 2n ** 64n - 1n,
      principals: ["zoë", "alice"],
      validAfter: new Date("2026-01-02T03:04:05.999Z"),
      validBefore: new Date("2099-12-31T23:59:59Z"),
      criticalOptions: { "verify-required": "", "source-address": "10.0.0.0/8", "force-command": "date -u" },
      extensions: { "permit-pty": "", "login@example": "zoë", "permit-X11-forwarding": "" },
    });
    expectListed(signed);
    expect(signed.certificate).toMatchObject({
      type: "user",
      keyId: "Zoë’s laptop",
      serial: 2n ** 64n - 1n,
      validPrincipals: ["zoë", "alice"],
      validAfterDate: new Date("2026-01-02T03:04:05Z"),
      validBeforeDate: new Date("2099-12-31T23:59:59Z"),
      forceCommand: "date -u",
      sourceAddress: "10.0.0.0/8",
      verifyRequired: true,
      permitPty: true,
      permitX11Forwarding: true,
      permitPortForwarding: false,
    });
    expect([...(signed.certificate?.criticalOptions.keys() ?? [])]).toEqual([
      "force-command",
      "source-address",
      "verify-required",
    ]);
    expect([...(signed.certificate?.extensions.keys() ?? [])]).toEqual([
      "login@example",
      "permit-X11-forwarding",
      "permit-pty",
    ]);
  });

  it("permits nothing that it was not told, for ever", () => {
    const { certificate } = authority.signCertificate(minimal);
    expect(certificate).toMatchObject({ serial: 0n, validAfterDate: undefined, validBeforeDate: undefined });
    expect(certificate?.extensions.size).toBe(0);
    expect(certificate?.criticalOptions.size).toBe(0);
    expect(certificate?.nonce).toHaveLength(32);
    expect(authority.signCertificate(minimal).certificate?.nonce).not.toEqual(certificate?.nonce);
  });

  it.each([
    ["type", { type: "both" }],
    ["type", { type: "toString" }],
    ["keyId", { keyId: "a\0b" }],
    ["keyId", { keyId: undefined }],
    ["keyId", { keyId: "\ud800" }],
    ["serial", { serial: -1n }],
    ["serial", { serial: 2n ** 64n }],
    ["serial", { serial: 2 ** 53 }],
    ["serial", { serial: 1.5 }],
    ["serial", { serial: "1" }],
    ["principals", { principals: [] }],
    ["principals", { principals: "alice" }],
    ["principals", { principals: [""] }],
    ["principals", { principals: ["a\0b"] }],
    ["principals", { principals: Array.from({ length: 257 }, () => "x") }],
    ["validAfter", { validAfter: new Date(Number.NaN) }],
    ["validAfter", { validAfter: new Date(-1) }],
    ["validBefore", { validBefore: new Date(0) }],
    ["validBefore", { validAfter: new Date(5000), validBefore: new Date(5999) }],
    ["validBefore", { validBefore: 4_000_000_000 }],
    ["validBefore", { validBefore: "+1d" }],
    ["publicKey", { publicKey: undefined }],
    ["publicKey", { publicKey: "ssh-ed25519 AAAA" }],
    ["criticalOptions", { criticalOptions: { "force-command": "a\0b" } }],
    ["criticalOptions", { criticalOptions: null }],
    ["criticalOptions", { criticalOptions: ["verify-required"] }],
    ["extensions", { extensions: ["permit-pty"] }],
    ["extensions", { extensions: { "a\0b": "" } }],
    ["extensions", { extensions: { "permit-pty": true } }],
    ["validbefore", { validbefore: new Date(5000) }],
    ["criticalOption", { criticalOption: { "force-command": "date" } }],
  ])("refuses what %s cannot be: %o", (option, change) => {
    const options = { ...minimal, ...change } as unknown as SignCertificateOptions;
    expect(() => authority.signCertificate(options)).toThrow(
      expect.objectContaining({ name: "ConfigurationError", option }),
    );
  });

  it("refuses options that are not of their form", () => {
    const sign = (options: Partial<SignCertificateOptions>) =>
      codeOf(() => authority.signCertificate({ ...minimal, ...options }));
    expect(sign({ extensions: { "permit-pty": "yes" } })).toBe("malformed");
    expect(sign({ criticalOptions: { "verify-required": "yes" } })).toBe("malformed");
    expect(sign({ criticalOptions: { "force-command": "" } })).toBe("malformed");
  });

  it("takes a key with its private half for the authority, and no certificates", () => {
    const certified = authority.signCertificate(minimal);
    expect(codeOf(() => authority.publicKey.signCertificate(minimal))).toBe("public-only");
    expect(codeOf(() => securityKeys[0]?.signCertificate(minimal))).toBe("public-only");
    expect(codeOf(() => authority.signCertificate({ ...minimal, publicKey: certified }))).toBe("unsupported");
    expect(codeOf(() => subject.withCertificate(certified).signCertificate(minimal))).toBe("unsupported");
    expect(codeOf(() => authority.signCertificate({ ...minimal, signatureAlgorithm: "rsa-sha2-512" }))).toBe(
      "unsupported",
    );
  });
});

describe("withCertificate", () => {
  const DATA = Buffer.from("what is signed");

  it.each(plain.map((key) => [key.keyType, key] as const))("%s: signs for the certificate", (_, key) => {
    const certified = authority.signCertificate({ ...minimal, publicKey: key, type: "host" });
    const both = key.withCertificate(certified);
    expect(both).toMatchObject({ keyType: certified.keyType, hasPrivateKey: true });
    expect(both.publicBlob).toEqual(certified.publicBlob);
    expect(both.equals(certified)).toBe(true);
    expect(both.publicKey.equals(certified)).toBe(true);
    expect(both.publicKey.hasPrivateKey).toBe(false);
    expect(both.fingerprint()).toBe(key.fingerprint());
    expect(both.signatureAlgorithms).toEqual(certified.signatureAlgorithms);
    both.signatureAlgorithms.forEach((algorithm, index) => {
      const signature = both.sign(DATA, algorithm);
      const own = key.signatureAlgorithms[index] ?? "";
      expect(signature.subarray(4, 4 + own.length).toString()).toBe(own);
      expect(signature.readUInt32BE(0)).toBe(own.length);
      expect(certified.verify(DATA, signature, algorithm)).toBe(true);
      expect(key.verify(DATA, signature, own)).toBe(true);
      expect(codeOf(() => both.sign(DATA, own))).toBe("unsupported");
      expect(codeOf(() => key.sign(DATA, algorithm))).toBe("unsupported");
    });
    expect(certified.verify(DATA, both.sign(DATA))).toBe(true);
  });

  it("the file of the private key holds the key alone", () => {
    const both = subject.withCertificate(authority.signCertificate(minimal));
    const read = PKey.fromString(both.toOpenSSH());
    expect(read).toMatchObject({ keyType: subject.keyType, certificate: undefined, hasPrivateKey: true });
    expect(read.equals(subject)).toBe(true);
    expect(both.toPublicString()).toContain(`${both.keyType} `);
  });

  it("takes another certificate in place of the first", () => {
    const [first, second] = [authority.signCertificate(minimal), authority.signCertificate(minimal)];
    expect(subject.withCertificate(first).withCertificate(second).equals(second)).toBe(true);
  });

  it("wants a certificate, for this key, and the private half", () => {
    const certified = authority.signCertificate(minimal);
    expect(codeOf(() => authority.withCertificate(certified))).toBe("malformed");
    expect(codeOf(() => subject.withCertificate(subject))).toBe("unsupported");
    expect(codeOf(() => subject.publicKey.withCertificate(certified))).toBe("public-only");
    expect(codeOf(() => certified.sign(DATA))).toBe("public-only");
  });
});

describe("a certificate of ours and sshd", needs("sshd", "ssh"), () => {
  it("lets in the users whom it names, with the command it forces", { timeout: 60_000 }, async () => {
    const user = userInfo().username;
    writeFileSync(join(directory, "ca.pub"), `${authority.toPublicString()}\n`);
    const settings = [`TrustedUserCAKeys ${join(directory, "ca.pub")}`, "PermitRootLogin yes", "UsePAM no"];
    using server = await OpensshServer.start(directory, settings);
    for (const key of plain) {
      const path = join(directory, `id-${key.keyType}`);
      writeFileSync(path, key.toOpenSSH());
      chmodSync(path, 0o600);
      const login = async (options: Partial<SignCertificateOptions>) => {
        const certified = authority.signCertificate({ ...minimal, publicKey: key, principals: [user], ...options });
        writeFileSync(`${path}-cert.pub`, `${certified.toPublicString()}\n`);
        const parameters = ["-F", "none", "-i", path, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-l", user];
        parameters.push("-o", QUICK_KEX);
        parameters.push("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-p", `${server.port}`);
        const { code, stdout } = await tools.run(TOOLS.ssh, [...parameters, "127.0.0.1", "echo asked"]);
        return { code, stdout: stdout.toString() };
      };
      const force = { "force-command": "echo forced", "source-address": "127.0.0.0/8" };
      expect(await login({ criticalOptions: force })).toEqual({ code: 0, stdout: "forced\n" });
      if (key !== subject) continue;
      expect(await login({})).toEqual({ code: 0, stdout: "asked\n" });
      expect((await login({ type: "host" })).code).toBe(255);
      expect((await login({ principals: ["somebody"] })).code).toBe(255);
    }
  });
});
