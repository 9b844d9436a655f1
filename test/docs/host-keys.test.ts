import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { type HostKey, PKey } from "../../src/crypto/index.js";
import { SSHServer, SSHServerManager } from "../../src/index.js";
import { RunningProcess } from "../examples/running-process.js";
import { runOk } from "../support/tools.js";
import { describePage, OPEN } from "./page-fixture.js";

/** The servers of the page have no way to log in. */
const TRUSTED = "no authentication methods are available";

describePage("docs/host-keys.md", (page) => {
  const HOST_KEY = "etc/my-server/host_key";
  const made = (name: string) => {
    const key = PKey.generate({ keyType: "ed25519" });
    page.write(name, key.toOpenSSH());
    return key;
  };
  /** Connects with a client that trusts only these lines. @returns what the client says at the end */
  async function trusted(port: number, line: string, ...options: readonly string[]): Promise<string> {
    const file = page.write("known_hosts", `${line}\n`);
    const trust = ["-o", "StrictHostKeyChecking=yes", "-o", `UserKnownHostsFile=${file}`, ...options];
    return (await page.ssh(port, [...trust, "ann@127.0.0.1", "true"])).stderr;
  }

  it("makes a key that ssh-keygen reads", async () => {
    page.write("etc/my-server/empty", "");
    const { key } = await page.load<{ key: PKey }>("key.writeFile");
    const file = join(page.folder, HOST_KEY);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await runOk("ssh-keygen", ["-lf", file])).toContain(key.fingerprint());
    expect(page.log).toBe(`${key.fingerprint()} ${key.toPublicString({ comment: "my-server" })}\n`);
  });

  it("makes a key at the first start alone", async () => {
    page.write("etc/my-server/empty", "");
    rmSync(join(page.folder, HOST_KEY), { force: true });
    const { key } = await page
      .load<{ key: PKey }>("const { key, created }")
      .then(() => ({ key: PKey.fromString(readFileSync(join(page.folder, HOST_KEY), "utf8")) }));
    expect(page.log).toBe(`a new host key: ${key.fingerprint()}\n`);
    await page.load("const { key, created }");
    expect(page.log).toBe(`a new host key: ${key.fingerprint()}\n`);
  });

  it("reads a key with a passphrase", async () => {
    const key = made(HOST_KEY);
    await runOk("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", join(page.folder, HOST_KEY)]);
    vi.stubEnv("HOST_KEY_PASSPHRASE", "open sesame");
    const { serverKey } = await page.load<{ serverKey: PKey }>("HOST_KEY_PASSPHRASE");
    vi.unstubAllEnvs();
    expect(serverKey.equals(key)).toBe(true);
  });

  it("has a key for each client", async () => {
    const ed25519 = made("host_key_ed25519");
    await runOk("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", join(page.folder, "host_key_rsa")]);
    const { manager } = await page.load<{ manager: SSHServerManager }>("host_key_rsa");
    const port = await page.serve(manager);
    const rsa = readFileSync(join(page.folder, "host_key_rsa.pub"), "utf8").trim();
    expect(await trusted(port, `* ${rsa}`, "-o", "HostKeyAlgorithms=rsa-sha2-512")).toContain(TRUSTED);
    expect(await trusted(port, `* ${ed25519.toPublicString()}`)).toContain(TRUSTED);
    expect(await trusted(port, `* ${PKey.generate({ keyType: "ed25519" }).toPublicString()}`)).toContain(
      "Host key verification failed",
    );
  });

  it("changes keys, and clients follow", async () => {
    const [old, next] = [made("host_key"), made("host_key_next")];
    vi.stubGlobal("OPEN", OPEN);
    const { manager } = await page.load<{ manager: SSHServerManager }>("host_key_next", {
      "new SSHServer()": "new SSHServer(OPEN)",
    });
    const port = await page.serve(manager);
    const file = page.write("followed", `[127.0.0.1]:${port} ${old.toPublicString()}\n`);
    const trust = ["StrictHostKeyChecking=yes", `UserKnownHostsFile=${file}`, "UpdateHostKeys=yes"];
    const options = [...trust.flatMap((option) => ["-o", option]), ...page.client.options];
    const client = new RunningProcess("ssh", [...options, "-N", "-p", `${port}`, "ann@127.0.0.1"]);
    const [, nextKey = "none"] = next.toPublicString().split(" ");
    await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).toContain(nextKey);
    await client.kill();
  });

  it("shows a certificate", async () => {
    const key = made(HOST_KEY);
    const authority = PKey.generate({ keyType: "ed25519" });
    const principals = ["127.0.0.1"];
    const certificate = authority.signCertificate({ publicKey: key, type: "host", keyId: "host", principals });
    page.write(`${HOST_KEY}-cert.pub`, `${certificate.toPublicString()}\n`);
    const { manager } = await page.load<{ manager: SSHServerManager }>("withCertificate");
    const port = await page.serve(manager);
    expect(await trusted(port, `@cert-authority * ${authority.toPublicString()}`)).toContain(TRUSTED);
  });

  it("signs elsewhere", async () => {
    interface Exports {
      remoteHostKey(publicKey: PKey, signRemotely: (data: Buffer) => Promise<Buffer>): HostKey;
    }
    const { remoteHostKey } = await page.load<Exports>("remoteHostKey");
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = PKey.fromString(String(privateKey.export({ type: "pkcs8", format: "pem" })));
    const serverKey = remoteHostKey(PKey.fromString(key.toPublicString()), async (data) =>
      sign(null, data, privateKey),
    );
    const port = await page.serve(
      new SSHServerManager({ serverInterface: new SSHServer(), serverKey, bindAddress: "127.0.0.1", port: 0 }),
    );
    expect(await trusted(port, `* ${key.toPublicString()}`)).toContain(TRUSTED);
  });
});
