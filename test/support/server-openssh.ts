import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TOOLS } from "./clients.js";
import { freePort } from "./free-port.js";
import { ExternalProcess, runOk } from "./tools.js";

const HOST_KEYS = { ed25519: [], ecdsa: [], rsa: ["-b", "3072"] } as const;

/** Debian's own sshd, with its default configuration and the host keys its package would make, on a loopback port. */
export class OpensshServer implements Disposable {
  readonly #process: ExternalProcess;
  readonly port: number;

  private constructor(process: ExternalProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(folder: string, settings: readonly string[] = []): Promise<OpensshServer> {
    const port = await freePort();
    const hostKeys = await Promise.all(
      Object.keys(HOST_KEYS).map((type) => hostKey(folder, type as keyof typeof HOST_KEYS)),
    );
    const configuration = join(folder, "sshd_config");
    const lines = [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      "PidFile none",
      "StrictModes no",
      // bash takes itself for a first shell of a network otherwise, and reads what the user has it read.
      "SetEnv SHLVL=1",
      ...hostKeys,
      ...settings,
    ];
    await writeFile(configuration, `${lines.join("\n")}\n${await readFile("/etc/ssh/sshd_config", "utf8")}`);
    mkdirSync("/run/sshd", { recursive: true });
    const process = new ExternalProcess(TOOLS.sshd, ["-D", "-e", "-f", configuration], { timeout: 600_000 });
    await process.untilOutput("Server listening");
    return new OpensshServer(process, port);
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGTERM");
  }
}

async function hostKey(folder: string, type: keyof typeof HOST_KEYS): Promise<string> {
  const file = join(folder, `host_${type}`);
  await runOk("ssh-keygen", ["-q", "-N", "", "-t", type, ...HOST_KEYS[type], "-f", file]);
  return `HostKey ${file}`;
}
