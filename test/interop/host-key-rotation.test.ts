import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { SSHServerManager } from "../../src/index.js";
import { needs, QUICK_KEX, TOOLS, TRIED_SSHS } from "../support/clients.js";
import { sample } from "../support/extent.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { GuideServer } from "../support/server.js";
import { run, temporaryFolder } from "../support/tools.js";

/** Two, in turn: to make one takes longer than any of the tests. */
const RSA_KEYS = [RSA_KEY, PKey.generate({ keyType: "rsa", bits: 2048 })];

function nextRsaKey(): PKey {
  RSA_KEYS.reverse();
  return RSA_KEYS[0] as PKey;
}

const KEYS = {
  ed25519: () => PKey.generate({ keyType: "ed25519" }),
  ecdsa: () => PKey.generate({ keyType: "ecdsa", bits: 256 }),
  "ecdsa 521": () => PKey.generate({ keyType: "ecdsa", bits: 521 }),
  rsa: nextRsaKey,
};
type KeyName = keyof typeof KEYS;

const HOST = "rotating.example.com";
const folder = temporaryFolder();

async function startServer(serverKeys: readonly PKey[]): Promise<SSHServerManager> {
  const manager = new SSHServerManager({
    serverInterface: new GuideServer(),
    serverKeys,
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
  });
  await manager.startServer();
  return manager;
}

/** One machine with ssh on it, which knows hosts by a file. */
class Client {
  readonly #program: string;
  readonly #knownHosts: string;

  private constructor(program: string, knownHosts: string) {
    this.#program = program;
    this.#knownHosts = knownHosts;
  }

  static async knowing(client: "ssh" | "ssh10", keys: readonly PKey[]): Promise<Client> {
    const knownHosts = join(await mkdtemp(join(folder, "client-")), "known_hosts");
    await writeFile(knownHosts, keys.map((key) => `${HOST} ${key.toPublicString()}\n`).join(""));
    return new Client(TOOLS[client], knownHosts);
  }

  /** The public halves of the keys by which it knows the host, sorted. */
  async knownKeys(): Promise<string[]> {
    const lines = (await readFile(this.#knownHosts, "utf8")).trim().split("\n");
    return lines.map((line) => line.split(" ").slice(1, 3).join(" ")).sort();
  }

  /** Runs a command on a server under the name of the host; accepts only keys that it knows. */
  connect({ port }: SSHServerManager, options: readonly string[] = []) {
    return run(
      this.#program,
      [
        ...["-F", "none", "-vv", "-p", `${port}`, "-l", "admin"],
        ...["-o", `HostKeyAlias=${HOST}`, "-o", `UserKnownHostsFile=${this.#knownHosts}`],
        ...["-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=yes"],
        ...["-o", "IdentityFile=none", "-o", "PreferredAuthentications=password", "-o", QUICK_KEX],
        ...options,
        ...["127.0.0.1", "hello"],
      ],
      {
        environment: {
          SSH_ASKPASS: join(import.meta.dirname, "drivers/askpass.sh"),
          SSH_ASKPASS_REQUIRE: "force",
          ANSWER_PASSWORD: "secret",
        },
      },
    );
  }

  async expectAccepted(manager: SSHServerManager, options?: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.connect(manager, options);
    expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
  }
}

const publicLines = (keys: readonly PKey[]): string[] =>
  keys.map((key) => key.toPublicString().split(" ").slice(0, 2).join(" ").trim()).sort();

for (const client of TRIED_SSHS) {
  describe(`${client} with UpdateHostKeys`, needs(client), () => {
    const changes: readonly (readonly [old: KeyName, next: KeyName])[] = [
      ["ed25519", "ed25519"],
      ["ecdsa", "ecdsa"],
      ["rsa", "rsa"],
      ["ed25519", "rsa"],
      ["rsa", "ed25519"],
      ["ecdsa", "ecdsa 521"],
    ];
    it.each(sample(changes, 2))("follows a change of the host key from %s to %s", async (oldName, nextName) => {
      const [old, next] = [KEYS[oldName](), KEYS[nextName]()];
      const machine = await Client.knowing(client, [old]);

      {
        await using before = await startServer([old, next]);
        await machine.expectAccepted(before, ["-o", `HostKeyAlgorithms=${old.signatureAlgorithms.join(",")},*`]);
      }
      expect(await machine.knownKeys()).toEqual(publicLines([old, next]));

      {
        await using swapped = await startServer([next, old]);
        await machine.expectAccepted(swapped);
      }
      await using after = await startServer([next]);
      await machine.expectAccepted(after);
      expect(await machine.knownKeys()).toEqual(publicLines([next]));

      const stranger = await Client.knowing(client, [old]);
      const refused = await stranger.connect(after);
      expect(refused.code).toBe(255);
      expect(refused.stderr).toContain("Host key verification failed");
    });

    it.each(sample(["rsa-sha2-512", "rsa-sha2-256"], 2))(
      "takes the proof of an RSA key after an exchange by %s",
      async (name) => {
        const [old, next] = [KEYS.rsa(), KEYS.rsa()];
        const machine = await Client.knowing(client, [old]);
        await using server = await startServer([old, next]);
        await machine.expectAccepted(server, ["-o", `HostKeyAlgorithms=${name}`]);
        expect(await machine.knownKeys()).toEqual(publicLines([old, next]));
      },
    );

    it("learns all keys at once, and no key that is not proven", async () => {
      const keys = [KEYS.ed25519(), KEYS.ecdsa(), KEYS.rsa(), KEYS.ed25519(), KEYS.rsa()];
      const machine = await Client.knowing(client, keys.slice(0, 1));
      {
        await using server = await startServer(keys);
        await machine.expectAccepted(server);
      }
      expect(await machine.knownKeys()).toEqual(publicLines(keys));

      const wrong = KEYS.ed25519();
      const liar = KEYS.ed25519();
      Object.defineProperty(liar, "sign", { value: (data: Buffer) => wrong.sign(data, "ssh-ed25519") });
      const sceptic = await Client.knowing(client, keys.slice(0, 1));
      await using server = await startServer([...keys.slice(0, 1), liar]);
      await sceptic.connect(server);
      expect(await sceptic.knownKeys()).toEqual(publicLines(keys.slice(0, 1)));
    });
  });
}
