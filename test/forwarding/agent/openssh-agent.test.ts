import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { AgentClient } from "../../../src/forwarding/agent/agent-client.js";
import { needs, TOOLS } from "../../support/clients.js";
import { ClientKeys, KEY_TYPES } from "../../support/clients-keys.js";
import { ExternalProcess, runOk, temporaryFolder } from "../../support/tools.js";

describe("ssh-agent", needs("ssh-agent", "ssh-add", "ssh-keygen"), () => {
  const keys = new ClientKeys();
  const folder = temporaryFolder();
  const path = join(folder, "agent");
  const client = new AgentClient(async () => connect(path));
  const data = Buffer.from("what is to be signed");
  let agent: ExternalProcess | undefined;

  const add = (...parameters: string[]) =>
    runOk(TOOLS["ssh-add"], ["-q", ...parameters], { environment: { SSH_AUTH_SOCK: path } });

  beforeAll(async () => {
    agent = new ExternalProcess(TOOLS["ssh-agent"], ["-D", "-a", path]);
    await agent.untilOutput("SSH_AUTH_SOCK");
    for (const type of KEY_TYPES) await add(await keys.openssh(type));
    await addCertificate();
  });
  afterAll(() => agent?.kill());

  /** A certificate beside its key is added with it. */
  async function addCertificate(): Promise<void> {
    const authority = PKey.generate({ keyType: "ed25519" });
    const key = await PKey.fromFile(await keys.openssh("rsa"));
    const certificate = authority.signCertificate({
      publicKey: key.publicKey,
      type: "user",
      keyId: "of the test",
      principals: ["ann"],
    });
    await key.writeFile(join(folder, "certified"));
    await writeFile(join(folder, "certified-cert.pub"), certificate.toPublicString());
    await add(join(folder, "certified"));
  }

  it("lists its keys, with a certificate among them", async () => {
    const listed = await client.list();
    const lines = await Promise.all(KEY_TYPES.map((type) => keys.publicLine(type)));
    expect(listed.slice(0, lines.length).map(({ publicBlob }) => publicBlob.toString("base64"))).toEqual(
      lines.map((line) => line.split(" ")[1]),
    );
    expect(listed.slice(0, lines.length).map(({ comment }) => comment)).toEqual(lines.map(() => "test"));
    expect(listed.map(({ publicKey }) => publicKey?.certificate?.keyId).filter(Boolean)).toEqual(["of the test"]);
  });

  it("signs by each algorithm of each key", async () => {
    const signed: string[] = [];
    for (const key of await client.list()) {
      for (const algorithm of key.signatureAlgorithms) {
        const signature = await key.sign(data, algorithm);
        expect(key.publicKey?.verify(data, signature, algorithm), algorithm).toBe(true);
        signed.push(algorithm);
      }
    }
    expect(signed).toEqual([
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256",
      "rsa-sha2-512-cert-v01@openssh.com",
      "rsa-sha2-256-cert-v01@openssh.com",
    ]);
  });

  it("does not sign with a key that it does not have", async () => {
    const { publicKey } = PKey.generate({ keyType: "ed25519" });
    await expect(client.sign(publicKey, data)).rejects.toMatchObject({ name: "AgentError", code: "failed" });
  });

  it("signs with a key that was not listed, but that it has", async () => {
    const key = PKey.fromString(await readFile(`${await keys.openssh("ed25519")}.pub`));
    expect(key.verify(data, await client.sign(key, data))).toBe(true);
  });
});
