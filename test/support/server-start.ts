import { createHash } from "node:crypto";
import { join } from "node:path";
import { inject } from "vitest";
import { type HostKey, PKey } from "../../src/crypto/index.js";
import { SSHServerManager, type SSHServerManagerOptions } from "../../src/index.js";
import { QUICK_ALGORITHMS } from "./clients.js";
import { makeFolderOnce } from "./run-folder.js";
import { GuideServer } from "./server.js";
import { withoutAdmission } from "./without-admission.js";

export const HOST_KEY_TYPES = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"] as const;
export type HostKeyType = (typeof HOST_KEY_TYPES)[number];

export interface TestServerOptions
  extends Partial<Omit<SSHServerManagerOptions, "serverInterface" | "serverKey" | "serverKeys">> {
  readonly hostKeyTypes?: readonly HostKeyType[];
  readonly server?: GuideServer;
}

/** The same for all servers of a run. */
async function hostKey(type: HostKeyType): Promise<PKey> {
  const folder = join(inject("runFolder"), `host-${type}`);
  await makeFolderOnce(folder, (made) => generateHostKey(type).writeFile(join(made, "key")));
  return PKey.fromFile(join(folder, "key"));
}

function generateHostKey(type: HostKeyType): PKey {
  if (type === "ed25519") return PKey.generate({ keyType: "ed25519" });
  if (type === "rsa") return PKey.generate({ keyType: "rsa", bits: 3072 });
  return PKey.generate({ keyType: "ecdsa", bits: Number(type.slice("ecdsa".length)) });
}

/** A running server on a free loopback port, with what a client has to know of it. Stops when its scope ends. */
export class TestServer implements AsyncDisposable {
  readonly server: GuideServer;
  readonly manager: SSHServerManager;
  readonly #hostKeys: readonly HostKey[];
  #signatures = 0;

  private constructor(settings: Omit<TestServerOptions, "hostKeyTypes">, hostKeys: readonly PKey[]) {
    const { server: serverInterface = new GuideServer(), ...options } = settings;
    this.server = serverInterface;
    this.#hostKeys = hostKeys.map((key) => this.#counted(key));
    const quiet = { logger: false, algorithms: QUICK_ALGORITHMS } as const;
    const defaults = { bindAddress: "127.0.0.1", port: 0, ...quiet, ...withoutAdmission };
    this.manager = new SSHServerManager({ ...defaults, serverInterface, serverKeys: [...this.#hostKeys], ...options });
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const { hostKeyTypes = ["ed25519", "ecdsa256", "rsa"], ...settings } = options;
    const server = new TestServer(settings, await Promise.all(hostKeyTypes.map(hostKey)));
    await server.manager.startServer();
    return server;
  }

  get port(): number {
    return this.manager.port;
  }

  /** Key exchanges so far, re-keying included: each one signs its exchange hash with a host key. */
  get keyExchanges(): number {
    return this.#signatures;
  }

  /** The lines of an OpenSSH `known_hosts` file. */
  get knownHosts(): string {
    const line = ({ keyType, publicBlob }: HostKey) =>
      `[127.0.0.1]:${this.port} ${keyType} ${publicBlob.toString("base64")}\n`;
    return this.#hostKeys.map(line).join("");
  }

  /** As `ssh-keygen -l` prints them. */
  get fingerprints(): string[] {
    const fingerprint = ({ publicBlob }: HostKey) => createHash("sha256").update(publicBlob).digest("base64");
    return this.#hostKeys.map((key) => `SHA256:${fingerprint(key).replace(/=+$/, "")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.stopServer({ gracePeriod: 0 });
  }

  #counted(key: HostKey): HostKey {
    return {
      keyType: key.keyType,
      publicBlob: key.publicBlob,
      signatureAlgorithms: key.signatureAlgorithms,
      sign: (data, signatureAlgorithm) => {
        this.#signatures += 1;
        return key.sign(data, signatureAlgorithm);
      },
    };
  }
}
