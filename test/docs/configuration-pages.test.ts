import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { type Certificate, PKey } from "../../src/crypto/index.js";
import { type Server, SSHServer, SSHServerManager } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { run } from "../examples/real-client.js";
import { runOk } from "../support/tools.js";
import { describePage, type Page } from "./page-fixture.js";

/** Writes a host key. */
function hostKey(page: Page, name: string): void {
  page.write(name, PKey.generate({ keyType: "ed25519" }).toOpenSSH());
}

describePage("docs/limits-and-timeouts.md", (page) => {
  it("is a server with limits", async () => {
    const { server } = await page.load<{ server: Server }>("maxConnections: 500");
    expect((await page.ssh(server.port, ["ann@127.0.0.1", "true"])).stderr).toContain("no authentication methods");
  });

  it("refuses some addresses", async () => {
    const { manager } = await page.load<{ manager: SSHServerManager }>("denyFrom", {
      "198.51.100.0/24": "127.0.0.1/32",
    });
    const port = await page.serve(manager);
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).code).toBe(255);
    expect(manager.getConnectionCount()).toBe(0);
    const penalty = { remoteAddress: "192.0.2.1", cause: "authFail", seconds: 30, enforced: true } as const;
    manager.emit("penalty", { ...penalty, worker: undefined });
    expect(page.log).toContain("192.0.2.1 is refused for 30 seconds: authFail");
  });

  it("stands behind a proxy", async () => {
    const { server } = await page.load<{ server: Server }>("proxyProtocol", { "10.0.0.5": "127.0.0.1" });
    const socket = connect(await page.serve(server), "127.0.0.1");
    socket.write("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^SSH-2\.0-/);
    socket.destroy();
  });

  it("tells which clients come and go", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: Server }>('server.on("authenticated"');
    const leaves = () => new Promise((resolve) => server.once("disconnected", resolve));
    for (const user of ["ann", "ben"]) {
      await Promise.all([leaves(), page.ssh(server.port, [`${user}@127.0.0.1`, "true"])]);
    }
    expect(page.log).toContain('"user":"ann","methods":["publickey"]}');
    expect(page.log).toMatch(/"user":"nobody","bytesSent":\d+,"kind":"left"/);
    expect(page.log).toContain("0 are here, 2 have come");
  });

  it("starts again", async () => {
    const { restart } = await page.load<{ restart(manager: SSHServerManager): Promise<void> }>("restart");
    const serverKey = PKey.generate({ keyType: "ed25519" });
    const serverInterface = new SSHServer();
    const manager = new SSHServerManager({ serverInterface, serverKey, bindAddress: "127.0.0.1", port: 0 });
    await page.serve(manager);
    await restart(manager);
    expect((await page.ssh(manager.port, ["ann@127.0.0.1", "true"])).stderr).toContain("no authentication methods");
  });
});

describePage(
  "docs/errors-and-logging.md",
  (page) => {
    it("says what is wrong with the host key", async () => {
      await page.load("error instanceof KeyError");
      expect(page.log).toMatch(/^The host key: .*host_key.* \(\w+\)\n$/);
    });

    it("logs to pino", async () => {
      const lines: string[] = [];
      vi.stubGlobal("lines", { write: (line: string) => void lines.push(line) });
      const { server } = await page.load<{ server: Server }>("pino({", { '"info" })': '"info" }, lines)' });
      await page.ssh(await page.serve(server), ["ann@127.0.0.1", "true"]);
      await server.close({ grace: 0 });
      expect(lines.length).toBeGreaterThan(0);
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({ msg: expect.any(String) });
    });
  },
  { "JSON.stringify": "json-logger.test.ts runs it" },
);

describePage("docs/algorithms.md", (page) => {
  const negotiated = async (server: Server, ...options: readonly string[]) =>
    (await page.ssh(await page.serve(server), ["-v", ...options, "ann@127.0.0.1", "true"])).stderr;

  it("offers a list", async () => {
    const { server } = await page.load<{ server: Server }>("aes256-ctr");
    expect(await negotiated(server, "-c", "aes128-ctr,aes256-ctr")).toMatch(
      /server->client cipher: aes256-ctr MAC: hmac-sha2-512-etm@openssh\.com/,
    );
    await server.close();
    expect(await negotiated(server, "-c", "aes128-ctr")).toContain("no matching cipher");
  });

  it("takes away, and puts first", async () => {
    const { server } = await page.load<{ server: Server }>("supportedAlgorithms");
    expect(page.log).toContain("curve25519-sha256");
    expect(await negotiated(server, "-o", "KexAlgorithms=ecdh-sha2-nistp256")).toContain("no matching key exchange");
    await server.close();
    expect(await negotiated(server, "-c", "aes256-gcm@openssh.com")).toContain("cipher: aes256-gcm@openssh.com");
  });
});

describePage("docs/certificates.md", (page) => {
  const authority = PKey.generate({ keyType: "ed25519" });
  const certified = (principal: string) => {
    const publicKey = PKey.fromString(page.publicLine.trim());
    return authority.signCertificate({ publicKey, type: "user", keyId: "laptop", principals: [principal] });
  };

  it("reads one", async () => {
    page.write("id_ed25519-cert.pub", `${certified("ann").toPublicString()}\n`);
    const { certificate } = await page.load<{ certificate: Certificate }>("certificate.validAfterDate");
    expect(certificate).toMatchObject({ keyId: "laptop", type: "user", validPrincipals: ["ann"] });
    expect(page.log).toContain(`signed by ${authority.fingerprint()}`);
  });

  it("checks one", async () => {
    const { isGoodFor } = await page.load<{ isGoodFor(user: string, key: PKey, authority: PKey): boolean }>(
      "certificateProblem",
    );
    expect(isGoodFor("ann", certified("ann"), authority)).toBe(true);
    expect(isGoodFor("ben", certified("ann"), authority)).toBe(false);
    expect(isGoodFor("ann", certified("ann"), PKey.generate({ keyType: "ed25519" }))).toBe(false);
  });

  it("signs one that ssh-keygen reads", async () => {
    page.write("ca", authority.toOpenSSH());
    await runOk("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", join(page.folder, "ca")]);
    page.write("id_ed25519.pub");
    vi.stubEnv("CA_PASSPHRASE", "open sesame");
    await page.load("alice, laptop");
    vi.unstubAllEnvs();
    const shown = await runOk("ssh-keygen", ["-L", "-f", page.write("signed-cert.pub", page.log)]);
    for (const text of ["alice, laptop", "Serial: 42", "source-address 10.0.0.0/8", "permit-pty"]) {
      expect(shown).toContain(text);
    }
  });

  it("takes no key of software for a FIDO key", async () => {
    const { check } = await page.load<{ check(key: PKey, data: Buffer, signature: Buffer): boolean }>("securityKey");
    const data = Buffer.from("data");
    expect(check(authority, data, authority.sign(data, "ssh-ed25519"))).toBe(false);
  });
});

describePage("docs/revocation.md", (page) => {
  it("refuses a key", async () => {
    page.write("etc/my-server/keys/ann");
    page.write("etc/my-server/revoked_keys", "");
    const { server } = await page.load<{ server: SSHServer }>("revokedKeys");
    const port = await page.serve(server);
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
    page.write("etc/my-server/revoked_keys");
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).toContain("Permission denied");
  });
});

describePage("docs/hardening.md", (page) => {
  it("lets a key in, and nothing weak", async () => {
    page.write("etc/spindlex/keys/ann");
    page.write("etc/spindlex/revoked.krl", "");
    hostKey(page, "etc/spindlex/ssh_host_ed25519_key");
    const { manager } = await page.load<{ manager: SSHServerManager }>("hardened");
    const port = await page.serve(manager);
    const kex = ["-o", "KexAlgorithms=sntrup761x25519-sha512@openssh.com"];
    expect((await page.ssh(port, [...kex, "ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
    const weak = await page.ssh(port, ["-v", "-o", "KexAlgorithms=ecdh-sha2-nistp256", "ann@127.0.0.1", "true"]);
    expect(weak.stderr).toContain("no matching key exchange");
  });
});

describePage("docs/from-ssh2.md", (page) => {
  it("runs a command", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    hostKey(page, "host.key");
    const { manager } = await page.load<{ manager: SSHServerManager }>("class ExecServer");
    const { server } = await page.load<{ server: Server }>("createServer");
    for (const { port } of [manager, server]) {
      const { stdout } = await page.sshWithPassword(port, "secret", ["ann@127.0.0.1", "make tea"]);
      expect(stdout).toBe("Executed: make tea\n");
    }
  });
});

describePage("docs/from-sshd-config.md", (page) => {
  it("does what its options say", async () => {
    page.write("etc/spindlex/keys/ann");
    page.write("etc/spindlex/revoked.krl", "");
    page.write("etc/spindlex/user_ca.pub", `${PKey.generate({ keyType: "ed25519" }).toPublicString()}\n`);
    mkdirSync(join(page.folder, "etc/ssh"), { recursive: true });
    hostKey(page, "etc/ssh/ssh_host_ed25519_key");
    const target = await page.load<{ manager: SSHServerManager }>("AllowTcpForwarding");
    expect((await page.ssh(target.manager.port, ["ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
    const { manager } = await page.load<{ manager: SSHServerManager }>("AllowTcpForwarding", {
      '["db.internal:5432"]': `["127.0.0.1:${target.manager.port}"]`,
    });
    const words = ["-W", `127.0.0.1:${target.manager.port}`, "ann@127.0.0.1"];
    const options = [...page.client.options, "-i", page.key, "-p", `${manager.port}`];
    const reached = await run("ssh", [...options, ...words], { input: "SSH-2.0-nobody\r\n" });
    expect(reached.stdout).toMatch(/^SSH-2\.0-/);
  });
});
