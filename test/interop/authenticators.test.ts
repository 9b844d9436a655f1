import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTotpSecret } from "../../src/authenticators/index.js";
import { decodeBase32 } from "../../src/authenticators/totp/base32.js";
import { oneTimeCode } from "../../src/authenticators/totp/one-time-code.js";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, passwordFile, SSHServer, SSHServerManager, totp } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { type Login, needs, QUICK_ALGORITHMS } from "../support/clients.js";
import { Clients } from "../support/clients-exec.js";
import { ClientKeys } from "../support/clients-keys.js";

const KINDS = Object.entries(KNOWN_HASHES).map(([kind, known], index) => ({ ...known, kind, user: `user${index}` }));
const SECRET = newTotpSecret();

/** A server as its reader would write it: the hooks are the authenticators. */
class AuthenticatingServer extends SSHServer {
  override checkAuthPassword = passwordFile(KINDS.map(({ user, hash }) => `${user}:${hash}\n`).join(""));
  override checkAuthKeyboardInteractive = totp(`ann:${SECRET}`);

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    channel.send(`Executed: ${command}\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const clients = new Clients(new ClientKeys());
const serverKey = PKey.generate({ keyType: "ed25519" });
const manager = new SSHServerManager({
  serverInterface: new AuthenticatingServer(),
  serverKey,
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  algorithms: QUICK_ALGORITHMS,
  authFailureDelay: 0,
});
beforeAll(() => manager.startServer());
afterAll(() => manager.stopServer({ gracePeriod: 0 }));

async function login(method: "password" | "keyboard-interactive", how: Login): Promise<string> {
  const options = ["-o", `PreferredAuthentications=${method}`, "-o", "NumberOfPasswordPrompts=1"];
  const knownHosts = `[127.0.0.1]:${manager.port} ${serverKey.toPublicString()}\n`;
  const target = { port: manager.port, knownHosts, fingerprints: [serverKey.fingerprint()] };
  const ssh = await clients.exec("ssh", target, { login: how, command: "hello", options });
  const { code, stdout } = await ssh.finished;
  return code === 0 ? stdout.toString() : "refused";
}

describe("ssh at a server with ready-made authenticators", needs("ssh"), () => {
  it.each(KINDS)("logs in with a password that $program has hashed", async ({ user, password }) => {
    expect(await login("password", { user, password })).toBe("Executed: hello\n");
    expect(await login("password", { user, password: `${password}.` })).toBe("refused");
  });

  it("does not log in without being listed", async () => {
    expect(await login("password", { user: "eve", password: "secret" })).toBe("refused");
  });

  it("logs in with the code of an authenticator app, once", async () => {
    const parameters = { algorithm: "sha1", digits: 6, period: 30 } as const;
    const code = oneTimeCode(decodeBase32(SECRET), Math.floor(Date.now() / 30_000), parameters);
    expect(await login("keyboard-interactive", { user: "eve", answers: [code] })).toBe("refused");
    expect(await login("keyboard-interactive", { user: "ann", answers: [code] })).toBe("Executed: hello\n");
    expect(await login("keyboard-interactive", { user: "ann", answers: [code] })).toBe("refused");
  });
});
