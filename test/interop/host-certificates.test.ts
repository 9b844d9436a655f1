import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type HostKey, PKey, type SignCertificateOptions } from "../../src/crypto/index.js";
import { SSHServerManager } from "../../src/index.js";
import { needs, QUICK_ALGORITHMS, type Target, TOOLS, TRIED_SSHS } from "../support/clients.js";
import { Clients } from "../support/clients-exec.js";
import { ClientKeys } from "../support/clients-keys.js";
import { sample } from "../support/extent.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { GuideServer } from "../support/server.js";
import { run, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const authority = PKey.generate({ keyType: "ed25519" });
const hostKeys = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 384 }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
];
const [hostKey] = hostKeys as [PKey];
const login = { user: "admin", password: "secret" };
const clients = new Clients(new ClientKeys());

function certified(key: PKey, options: Partial<SignCertificateOptions> = {}): PKey {
  const described = { publicKey: key, type: "host", keyId: "a host", principals: ["127.0.0.1"] } as const;
  return key.withCertificate(authority.signCertificate({ ...described, ...options }));
}

async function withServer(serverKeys: readonly HostKey[], use: (port: number) => Promise<void>): Promise<void> {
  await using manager = new SSHServerManager({
    serverInterface: new GuideServer(),
    serverKeys,
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
    algorithms: QUICK_ALGORITHMS,
  });
  await manager.startServer();
  await use(manager.port);
}

const target = (port: number, knownHosts: string): Target => ({ port, knownHosts, fingerprints: [] });
const trustLine = (port: number) => `@cert-authority [127.0.0.1]:${port} ${authority.toPublicString()}\n`;
const keyLine = (port: number, key: PKey) => `[127.0.0.1]:${port} ${key.publicKey.toPublicString()}\n`;

describe.each(TRIED_SSHS)("host certificates and %s", (client) => {
  it.each(hostKeys.map((key) => [key.keyType, key] as const))(
    "%s: the authority is trusted, the key not known",
    { ...needs(client), timeout: 60_000 },
    async (_, key) => {
      await withServer([certified(key), key], async (port) => {
        for (const algorithm of certified(key).signatureAlgorithms) {
          const options = ["-o", `HostKeyAlgorithms=${algorithm}`, "-v"];
          const request = { login, command: "hello", options };
          const { finished } = await clients.exec(client, target(port, trustLine(port)), request);
          const { code, stdout, stderr } = await finished;
          expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
          expect(stderr).toContain(`kex: host key algorithm: ${algorithm}`);
          expect(stderr).toContain(`Server host certificate: ${key.keyType}-cert-v01@openssh.com`);
        }
      });
    },
  );

  it("the certificate comes before the key, and each is taken by clients that know it", needs(client), async () => {
    await withServer([hostKey, certified(hostKey)], async (port) => {
      const certificate = "ssh-ed25519-cert-v01@openssh.com";
      for (const [knownHosts, options, algorithm] of [
        [trustLine(port), [], certificate],
        // OpenSSH takes a certificate for its key where it knows that.
        [keyLine(port, hostKey), [], certificate],
        [keyLine(port, hostKey), ["-o", "HostKeyAlgorithms=ssh-ed25519"], "ssh-ed25519"],
      ] as const) {
        const request = { login, command: "hello", options: ["-v", ...options] };
        const { code, stderr } = await (await clients.exec(client, target(port, knownHosts), request)).finished;
        expect(code, stderr).toBe(0);
        expect(/kex: host key algorithm: (\S+)/.exec(stderr)?.[1]).toBe(algorithm);
      }
      for (const knownHosts of [keyLine(port, authority), trustLine(port).replace("127.0.0.1", "127.0.0.2")]) {
        const request = { login, command: "hello" };
        const { code } = await (await clients.exec(client, target(port, knownHosts), request)).finished;
        expect(code).toBe(255);
      }
    });
  });

  const wrong = [
    ["another host", { principals: ["192.0.2.1"] }],
    ["another time", { validBefore: new Date("2020-01-01") }],
    ["who knows the critical option", { criticalOptions: { "force-command": "ls" } }],
  ] as const;
  it.each(wrong)("that are for %s are not taken", needs(client), async (_, options) => {
    await withServer([certified(hostKey, options)], async (port) => {
      const request = { login, command: "hello" };
      const { code } = await (await clients.exec(client, target(port, trustLine(port)), request)).finished;
      expect(code).toBe(255);
    });
  });
});

describe("a server with a certificate and its key", () => {
  const others = sample(["plink", "dbclient", "paramiko", "asyncssh", "ssh2", "libssh2"] as const, 2);

  for (const client of others) {
    it(`is known to ${client}, by the key`, { ...needs(client), timeout: 60_000 }, async () => {
      await withServer([certified(hostKey), hostKey], async (port) => {
        const known = { ...target(port, keyLine(port, hostKey)), fingerprints: [hostKey.fingerprint()] };
        const { code, stdout, stderr } = await (await clients.exec(client, known, { login, command: "hello" }))
          .finished;
        expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
      });
    });
  }

  it("is found by ssh-keyscan -c, which knows all of its certificates", needs("ssh-keyscan"), async () => {
    await withServer(
      hostKeys.map((key) => certified(key)),
      async (port) => {
        const { stdout } = await run(TOOLS["ssh-keyscan"], ["-c", "-p", `${port}`, "127.0.0.1"]);

        const lines = stdout.toString().trim().split("\n");
        const found = lines.map((line) => PKey.fromString(line));
        expect(found.length).toBeGreaterThanOrEqual(3);
        for (const key of found) {
          expect(hostKeys.some((known) => key.certificate?.publicKey.equals(known))).toBe(true);
        }
      },
    );
  });

  it("does not start with a certificate for users", () => {
    const serverKey = certified(hostKey, { type: "user" });
    expect(() => new SSHServerManager({ serverInterface: new GuideServer(), serverKey })).toThrow(
      "the certificate is one for users, not for hosts",
    );
    const publicOnly = serverKey.publicKey;
    expect(() => new SSHServerManager({ serverInterface: new GuideServer(), serverKey: publicOnly })).toThrow(
      "has no private half",
    );
  });

  it("serves with a certificate that ssh-keygen has made", needs("ssh"), async () => {
    const path = join(folder, "host");
    writeFileSync(path, hostKey.toOpenSSH(), { mode: 0o600 });
    writeFileSync(`${path}.pub`, hostKey.toPublicString());
    writeFileSync(join(folder, "ca"), authority.toOpenSSH(), { mode: 0o600 });
    const sign = ["-q", "-s", join(folder, "ca"), "-I", "a host", "-h", "-n", "127.0.0.1", `${path}.pub`];
    expect((await run("ssh-keygen", sign)).code).toBe(0);
    const key = (await PKey.fromFile(path)).withCertificate(await PKey.fromFile(`${path}-cert.pub`));
    await withServer([key], async (port) => {
      const request = { login, command: "hello" };
      const { code, stderr } = await (await clients.exec("ssh", target(port, trustLine(port)), request)).finished;
      expect(code, stderr).toBe(0);
    });
  });
});
