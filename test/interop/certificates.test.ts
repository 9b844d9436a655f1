import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
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
  const at = (what: string, key?: PKey) => join(folder, [client, what, key?.signatureAlgorithms[0]].join(" "));

  describe(`certificates and ${client}`, needs(client), () => {
    const cases = keys.map((key, index) => [key.keyType, key, index] as const);
    /** What it says of ours, in the order of the keys. */
    let readByIt: unknown[] = [];

    // All in one process, for it takes a quarter of a second to start.
    beforeAll(async () => {
      writeFileSync(at("authority"), authority.toOpenSSH(), { mode: 0o600 });
      for (const key of keys) {
        writeFileSync(at("key", key), `${key.toPublicString()}\n`);
        const signed = authority.signCertificate({
          publicKey: key,
          type: "user",
          keyId: "ours",
          principals: ["alice"],
          validBefore: new Date("2099-01-01"),
          criticalOptions: { "force-command": "date -u" },
          extensions: { "permit-pty": "" },
        });
        writeFileSync(at("ours", key), `${signed.toPublicString()}\n`);
      }
      const options = {
        authority: at("authority"),
        make: keys.map((key) => ({ key: at("key", key), certificate: at("made", key) })),
        read: keys.map((key) => at("ours", key)),
      };
      const words = ["-W", "ignore", DRIVER, JSON.stringify(options)];
      readByIt = JSON.parse(await runOk(TOOLS[client], words, { environment }));
    });

    it.each(cases)("%s: what it makes is read", async (_, key) => {
      const { certificate } = await PKey.fromFile(at("made", key));
      expect(certificate?.publicKey.equals(key)).toBe(true);
      expect(certificate?.signatureKey.equals(authority)).toBe(true);
      expect(certificate).toMatchObject({ keyId: "from asyncssh", serial: 7n, validPrincipals: ["alice", "bob"] });
      expect(certificate).toMatchObject({ validAfter: 1000n, validBefore: 4000000000n, type: "user" });
      expect(certificate).toMatchObject({ forceCommand: "date -u", sourceAddress: "10.0.0.0/8" });
      expect(certificate).toMatchObject({ permitX11Forwarding: false, permitPty: true, permitPortForwarding: true });
      if (certificate === undefined) return;
      expect(certificateProblem(certificate, { type: "user", now: new Date() })).toBeUndefined();
    });

    it.each(cases)("%s: what we make is read", (_, _key, index) => {
      expect(readByIt[index]).toEqual({
        principals: ["alice"],
        forceCommand: "date -u",
        pty: true,
        x11: false,
        authority: authority.fingerprint(),
      });
    });
  });
}
