import { expect, it, vi } from "vitest";
import { decodeBase32 } from "../../src/authenticators/totp/base32.js";
import { oneTimeCode } from "../../src/authenticators/totp/one-time-code.js";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, SSHServer, type SSHServerOptions, type trustedUserCAs } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import type { Outcome } from "../examples/real-client.js";
import { describePage, OPEN } from "./page-fixture.js";

interface Served {
  readonly server: SSHServer;
}

/** The key on the page. */
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
/** What an authenticator app shows now. */
const currentCode = (secret: string) =>
  oneTimeCode(decodeBase32(secret), Math.floor(Date.now() / 30_000), { algorithm: "sha1", digits: 6, period: 30 });
const ANN = "ann@127.0.0.1";
const NO_PASSWORD = ["-o", "PreferredAuthentications=publickey"];

/** The servers of the page let somebody in and run nothing. */
const expectInside = ({ stderr }: Outcome) => expect(stderr).toContain("exec request failed");
const expectRefused = ({ stderr }: Outcome, methods: string) =>
  expect(stderr).toContain(`Permission denied (${methods})`);

describePage("docs/authentication.md", (page) => {
  const publicKey = () => page.publicLine.trim();
  const passwords = async (file: string) => page.write(file, `ann:${KNOWN_HASHES.scrypt.hash}\n`);
  const certified = (authority: PKey, principals: readonly string[]) => {
    const key = PKey.fromString(publicKey());
    const certificate = authority.signCertificate({ publicKey: key, type: "user", keyId: "test", principals });
    return ["-o", `CertificateFile=${page.write("id-cert.pub", `${certificate.toPublicString()}\n`)}`];
  };
  const answered = (port: number, password: string, words: readonly string[] = []) =>
    page.sshWithAnswers(port, { ANSWER_PASSWORD: password }, [...words, ANN, "true"]);

  it("wants two factors, and no revoked key", async () => {
    page.write("etc/my-server/keys/ann");
    page.write("etc/my-server/revoked_keys", "");
    await passwords("etc/my-server/users");
    const { server } = await page.load<Served>("permissions: { agentForwarding: false, x11Forwarding: false }");
    const port = await page.serve(server);
    expectInside(await answered(port, "secret"));
    expectRefused(await answered(port, "secret", NO_PASSWORD), "password");
    page.write("etc/my-server/revoked_keys");
    expectRefused(await answered(port, "secret"), "publickey");
  });

  it("fails at its start", async () => {
    const text = "publicKey.load()";
    await expect(page.load(text)).rejects.toThrow(/etc\/my-server\/admins/);
    page.write("etc/my-server/admins");
    page.write("etc/my-server/revoked_keys", "");
    const { server } = await page.load<Served>(text);
    expectInside(await page.ssh(await page.serve(server), [ANN, "true"]));
  });

  it("takes passwords of a file", async () => {
    await passwords("etc/my-server/users");
    const { server } = await page.load<Served>("authentication: { password: passwordFile");
    expectInside(await answered(await page.serve(server), "secret"));
  });

  it("has an expired password changed", async () => {
    const { ExpiringServer } = await page.load<{ ExpiringServer: new () => SSHServer }>("class ExpiringServer");
    const port = await page.serve(new ExpiringServer());
    const answers = { ANSWER_PASSWORD: "first", ANSWER_NEW_PASSWORD: "a longer password" };
    expectInside(await page.sshWithAnswers(port, answers, [ANN, "true"]));
    expectInside(await answered(port, "a longer password"));
  });

  it("knows one key", async () => {
    const Exports = await page.load<{ KeyServer: new () => SSHServer }>("class KeyServer", { [KEY]: publicKey() });
    const port = await page.serve(new Exports.KeyServer());
    expectInside(await page.ssh(port, [ANN, "true"]));
    expectRefused(await page.ssh(port, ["ben@127.0.0.1", "true"]), "publickey");
  });

  it("takes keys of files", async () => {
    page.write("etc/ssh/authorized_keys/ann");
    const { server } = await page.load<Served>('authentication: { publicKey: authorizedKeys({ file: "/etc/ssh');
    const port = await page.serve(server);
    expectInside(await page.ssh(port, [ANN, "true"]));
    expectRefused(await page.ssh(port, ["ben@127.0.0.1", "true"]), "publickey");
  });

  it("takes keys of a function", async () => {
    vi.stubGlobal("findKeys", async (user: string) => (user === "ann" ? publicKey() : undefined));
    const { server } = await page.load<Served>("declare function findKeys");
    const port = await page.serve(server);
    expectInside(await page.ssh(port, [ANN, "true"]));
    expectRefused(await page.ssh(port, ["ben@127.0.0.1", "true"]), "publickey");
  });

  it("takes certificates, and keys", async () => {
    const authority = PKey.generate({ keyType: "ed25519" });
    page.write("etc/ssh/user_ca.pub", `${authority.toPublicString()}\n`);
    page.write("etc/ssh/authorized_keys/ben");
    const { server } = await page.load<Served>("publicKey: anyOf(");
    const port = await page.serve(server);
    expectInside(await page.ssh(port, [...certified(authority, ["cid"]), "cid@127.0.0.1", "true"]));
    expectRefused(await page.ssh(port, [...certified(authority, ["cid"]), "dan@127.0.0.1", "true"]), "publickey");
    expectInside(await page.ssh(port, ["ben@127.0.0.1", "true"]));
  });

  it("takes certificates for roles", async () => {
    const authority = PKey.generate({ keyType: "ed25519" });
    page.write("etc/ssh/user_ca.pub", `${authority.toPublicString()}\n`);
    page.write("etc/ssh/principals/deploy", "ci\n");
    const { byRole, byFile } =
      await page.load<Record<"byRole" | "byFile", ReturnType<typeof trustedUserCAs>>>("byRole");
    for (const check of [byRole, byFile]) {
      const port = await page.serve(new SSHServer({ authentication: { publicKey: check } }));
      expectInside(await page.ssh(port, [...certified(authority, ["ci"]), "deploy@127.0.0.1", "true"]));
      expectRefused(
        await page.ssh(port, [...certified(authority, ["deploy"]), "deploy@127.0.0.1", "true"]),
        "publickey",
      );
    }
  });

  it("checks a certificate by a hook", async () => {
    const authority = PKey.generate({ keyType: "ed25519" });
    const { CertificateServer } = await page.load<{ CertificateServer: new () => SSHServer }>(
      "class CertificateServer",
      { [`${KEY} ca`]: authority.toPublicString() },
    );
    const port = await page.serve(new CertificateServer());
    expectInside(await page.ssh(port, [...certified(authority, ["ann"]), ANN, "true"]));
    const other = PKey.generate({ keyType: "ed25519" });
    expectRefused(await page.ssh(port, [...certified(other, ["ann"]), ANN, "true"]), "publickey");
  });

  it("asks for a code", async () => {
    const { CodeServer } = await page.load<{ CodeServer: new () => SSHServer }>("class CodeServer");
    const port = await page.serve(new CodeServer());
    expectInside(await answered(port, "123456"));
    expectRefused(await answered(port, "654321", ["-o", "NumberOfPasswordPrompts=1"]), "keyboard-interactive");
  });

  it("asks for a code of an authenticator app, whose secret the page makes", async () => {
    await page.load("newTotpSecret()");
    const [line = "", uri] = page.log.split("\n");
    expect(uri).toMatch(/^otpauth:\/\/totp\/.*secret=/);
    page.write("etc/my-server/secrets", `${line}\n`);
    const { server } = await page.load<Served>("authentication: { keyboardInteractive: totp");
    expectInside(await answered(await page.serve(server), currentCode(line.replace("ann:", ""))));
  });

  it("wants a key, and a password or a code", async () => {
    page.write("etc/my-server/keys/ann");
    page.write("etc/my-server/secrets", `ann:${"A".repeat(32)}\n`);
    await passwords("etc/my-server/users");
    const { server } = await page.load<Served>('["publickey", "keyboard-interactive"]');
    const port = await page.serve(server);
    expectInside(await answered(port, "secret", ["-o", "KbdInteractiveAuthentication=no"]));
    const code = currentCode("A".repeat(32));
    expectInside(await answered(port, code, ["-o", "PasswordAuthentication=no"]));
    expectRefused(await answered(port, "", NO_PASSWORD), "password,keyboard-interactive");
  });

  it("wants two factors by hooks", async () => {
    const { TwoFactorServer } = await page.load<{ TwoFactorServer: new (key: PKey) => SSHServer }>("TwoFactorServer");
    const port = await page.serve(new TwoFactorServer(PKey.fromString(publicKey())));
    for (const order of ["publickey,password", "password,publickey"]) {
      expectInside(await answered(port, "secret", ["-o", `PreferredAuthentications=${order}`]));
    }
    expect((await answered(port, "secret", NO_PASSWORD)).stderr).toContain("Permission denied");
  });

  it("forces a command", async () => {
    const { BackupServer } = await page.load<{ BackupServer: new () => SSHServer }>("class BackupServer", {
      [`${KEY} backup`]: publicKey(),
    });
    class EchoServer extends BackupServer {
      override checkChannelExecRequest(channel: Channel, command: Buffer): true {
        channel.end(command);
        return true;
      }
    }
    const port = await page.serve(new EchoServer());
    expect((await page.ssh(port, ["backup@127.0.0.1", "rm"])).stdout).toBe("receive-backup");
  });

  it("takes forwarding from those who log in by password", async () => {
    await passwords("users");
    interface Exports {
      readonly CautiousServer: new (options: SSHServerOptions) => SSHServer;
    }
    const { CautiousServer } = await page.load<Exports>("class CautiousServer");
    const port = await page.serve(new CautiousServer({ forwarding: { local: () => true } }));
    const open = await page.serve(new SSHServer({ ...OPEN, forwarding: { local: () => true } }));
    const words = ["-o", "LogLevel=INFO", "-W", `127.0.0.1:${open}`, ANN];
    expect((await page.ssh(open, words, "SSH-2.0-nobody\r\n")).stdout).toMatch(/^SSH-2\.0-/);
    const refused = await page.sshWithAnswers(port, { ANSWER_PASSWORD: "secret" }, words);
    expect(refused.stderr).toContain("prohibited");
  });

  it("gives a user a home", async () => {
    page.write("srv/ann/notes.txt");
    const { HomeServer } = await page.load<{ HomeServer: new () => SSHServer }>("class HomeServer");
    const port = await page.serve(new HomeServer());
    expect((await page.sftp(port, "ann", ["ls"])).stdout).toContain("notes.txt");
  });
});
