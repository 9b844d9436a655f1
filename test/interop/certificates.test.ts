import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { certificateProblem, PKey } from "../../src/crypto/index.js";
import { NEWER_PYTHON_PACKAGES, needs, TOOLS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { runOk, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const DRIVER = fileURLToPath(new URL("drivers/asyncssh_certificate.py", import.meta.url));
const authority = PKey.generate({ keyType: "ed25519" });
const keys = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
];

/** The long run also tries the second version. */
const CLIENTS = ["asyncssh", "asyncssh-2.20"] as const;

for (const client of CLIENTS.filter((one) => isLong || one === "asyncssh")) {
  const environment = client === "asyncssh" ? undefined : { PYTHONPATH: NEWER_PYTHON_PACKAGES };
  const driver = (options: object) =>
    runOk(TOOLS[client], ["-W", "ignore", DRIVER, JSON.stringify(options)], { environment });

  describe(`certificates and ${client}`, needs(client), () => {
    it.each(keys.map((key) => [key.keyType, key] as const))("%s: what it makes is read", async (_, key) => {
      const paths = {
        authority: join(folder, "ca"),
        key: join(folder, "key.pub"),
        certificate: join(folder, "made.pub"),
      };
      writeFileSync(paths.authority, authority.toOpenSSH(), { mode: 0o600 });
      writeFileSync(paths.key, `${key.toPublicString()}\n`);
      await driver({ action: "make", ...paths });
      const { certificate } = await PKey.fromFile(paths.certificate);
      expect(certificate?.publicKey.equals(key)).toBe(true);
      expect(certificate?.signatureKey.equals(authority)).toBe(true);
      expect(certificate).toMatchObject({ keyId: "from asyncssh", serial: 7n, validPrincipals: ["alice", "bob"] });
      expect(certificate).toMatchObject({ validAfter: 1000n, validBefore: 4000000000n, type: "user" });
      expect(certificate).toMatchObject({ forceCommand: "date -u", sourceAddress: "10.0.0.0/8" });
      expect(certificate).toMatchObject({ permitX11Forwarding: false, permitPty: true, permitPortForwarding: true });
      if (certificate === undefined) return;
      expect(certificateProblem(certificate, { type: "user", now: new Date() })).toBeUndefined();
    });

    it.each(keys.map((key) => [key.keyType, key] as const))("%s: what we make is read", async (_, key) => {
      const signed = authority.signCertificate({
        publicKey: key,
        type: "user",
        keyId: "ours",
        principals: ["alice"],
        validBefore: new Date("2099-01-01"),
        criticalOptions: { "force-command": "date -u" },
        extensions: { "permit-pty": "" },
      });
      const certificate = join(folder, "ours.pub");
      writeFileSync(certificate, `${signed.toPublicString()}\n`);
      expect(JSON.parse(await driver({ action: "read", certificate }))).toEqual({
        principals: ["alice"],
        forceCommand: "date -u",
        pty: true,
        x11: false,
        authority: authority.fingerprint(),
      });
    });
  });
}
