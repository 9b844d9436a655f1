import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { type AuthDecision, Grant, type GrantOptions } from "../../src/index.js";
import { AUTH_FAILED } from "../../src/protocol/constants.js";
import { needs } from "../support/clients.js";
import { securityKeyProvider } from "../support/security-key-provider.js";
import { GuideServer } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { run, runOk, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const provider = securityKeyProvider();
const authority = PKey.generate({ keyType: "ed25519" });

/** What the server asks of each user's key. */
const USERS: Readonly<Record<string, GrantOptions>> = {
  touching: {},
  untouched: { touch: "optional" },
  verifying: { verification: "required" },
  /** Take certificates only: ssh offers the plain key as well. */
  certified: { touch: "optional" },
  "certified-touching": {},
};

class KeyServer extends GuideServer {
  override getAllowedAuths(): string[] {
    return ["publickey"];
  }

  override checkAuthPublickey(username: string, key: PKey): AuthDecision {
    const options = USERS[username];
    const isCertified = key.certificate !== undefined;
    const known = this.authorizedKeys.has(key.fingerprint()) && username.startsWith("certified") === isCertified;
    return options !== undefined && known ? new Grant({ authority, ...options }) : AUTH_FAILED;
  }
}

describe("FIDO keys, with ssh", needs("ssh"), () => {
  const server = new KeyServer();
  const fixture = serverFixture({ server, authFailureDelay: 0 });

  beforeAll(async () => {
    await authority.writeFile(join(folder, "authority"));
    for (const type of ["ed25519-sk", "ecdsa-sk"]) {
      await generate(type, type);
      await generate(type, `${type}-untouched`, "-O", "no-touch-required");
      await generate(type, `${type}-verified`, "-O", "verify-required");
    }
  });

  async function generate(type: string, name: string, ...options: string[]): Promise<void> {
    const file = join(folder, name);
    const parameters = ["-q", "-t", type, "-N", "", "-w", await provider(), "-f", file, ...options];
    await runOk("ssh-keygen", parameters, { environment: { SSH_ASKPASS_REQUIRE: "force", SSH_ASKPASS: "/bin/true" } });
    server.authorizedKeys.add(PKey.fromString(await readFile(`${file}.pub`, "utf8")).fingerprint());
  }

  async function login(user: string, key: string, ...options: string[]): Promise<boolean> {
    const { program, parameters, environment } = await fixture.clients.openssh("ssh", fixture.server, { user });
    const identity = ["-o", `IdentityFile=${join(folder, key)}`, "-o", `SecurityKeyProvider=${await provider()}`];
    const { code, stdout, stderr } = await run(
      program,
      [...identity, ...parameters, ...options, "127.0.0.1", "hello"],
      {
        environment: { ...environment, ANSWER_PASSWORD: "1234" },
      },
    );
    expect(code, stderr).toBe(code === 0 ? 0 : 255);
    expect(stdout.toString()).toBe(code === 0 ? "Executed: hello\n" : "");
    return code === 0;
  }

  it.each([
    ["touching", "ed25519-sk", true],
    ["touching", "ecdsa-sk", true],
    ["touching", "ed25519-sk-untouched", false],
    ["touching", "ecdsa-sk-untouched", false],
    ["untouched", "ed25519-sk-untouched", true],
    ["untouched", "ecdsa-sk-untouched", true],
    ["verifying", "ed25519-sk", false],
    ["verifying", "ecdsa-sk", false],
    ["verifying", "ed25519-sk-verified", true],
    ["verifying", "ecdsa-sk-verified", true],
  ])("%s logs in with %s: %s", async (user, key, accepted) => {
    expect(await login(user, key)).toBe(accepted);
  });

  it("are on the identity with what they said", async () => {
    await login("verifying", "ecdsa-sk-verified");
    const [proof] = server.lastLogin?.identity?.securityKeys ?? [];
    expect(proof).toMatchObject({ userPresent: true, userVerified: true, counter: expect.any(Number) });
    expect(proof?.counter).toBeGreaterThan(1_700_000_000);
    expect(proof?.key.keyType).toBe("sk-ecdsa-sha2-nistp256@openssh.com");
  });

  it.each([
    ["certified", "ed25519-sk-untouched", [], false],
    ["certified", "ed25519-sk-untouched", ["-O", "no-touch-required"], true],
    ["certified-touching", "ed25519-sk-untouched", ["-O", "no-touch-required"], false],
    ["certified", "ecdsa-sk", ["-O", "verify-required"], false],
    ["certified", "ecdsa-sk-verified", ["-O", "verify-required"], true],
  ])("of %s, %s in a certificate with %j: %s", async (user, key, options, accepted) => {
    const certify = ["-q", "-s", join(folder, "authority"), "-I", "test", "-n", user, ...options];
    await runOk("ssh-keygen", [...certify, join(folder, `${key}.pub`)]);
    const certificate = join(folder, `${key}-cert.pub`);
    expect(await login(user, key, "-o", `CertificateFile=${certificate}`)).toBe(accepted);
  });
});
