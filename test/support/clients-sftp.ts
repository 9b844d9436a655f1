import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NEWER_PYTHON_PACKAGES, type Target, TOOLS, type TransferClientName } from "./clients.js";
import type { CommandLine } from "./clients-exec.js";
import type { ClientKeys } from "./clients-keys.js";
import { isLong } from "./extent.js";
import { temporaryFolder } from "./tools.js";

const DRIVERS = fileURLToPath(new URL("../interop/drivers/", import.meta.url));
const USER = "admin";
const PASSWORD = "secret";

/** The name by which the clients that read an `ssh_config` know the server. */
export const HOST = "spindlex";

/** The clients that are programs. */
export type ProgramName = Exclude<TransferClientName, "ssh2-sftp-client">;

export type LibraryName = "paramiko" | "asyncssh" | "asyncssh-2.20" | "ssh2" | "ssh2-sftp-client";

export const LIBRARIES: readonly LibraryName[] = ["paramiko", "asyncssh", "asyncssh-2.20", "ssh2", "ssh2-sftp-client"];

/** Those that every run of the tests tries; the long run also tries the first version of AsyncSSH. */
export const TRIED_LIBRARIES = LIBRARIES.filter((library) => isLong || library !== "asyncssh");

/** A request of a library to its server: the name of an operation of its driver, and what that takes. */
export type Operation = readonly [name: string, ...parameters: readonly (string | number)[]];

/** Command lines of real clients that transfer files, logged in to one server. Each has a home folder of its own. */
export class TransferClients {
  readonly #keys: ClientKeys;
  readonly #folder = temporaryFolder();

  constructor(keys: ClientKeys) {
    this.#keys = keys;
  }

  /** @param parameters what to do there, in the syntax of the client; of lftp, its commands */
  async commandLine(client: ProgramName, target: Target, parameters: readonly string[]): Promise<CommandLine> {
    const home = await mkdtemp(join(this.#folder, "home-"));
    await mkdir(join(home, ".ssh"), { mode: 0o700 });
    await writeFile(join(home, ".ssh/known_hosts"), target.knownHosts);
    const environment = { HOME: home };
    return {
      program: TOOLS[client],
      parameters: await this.#parameters(client, target, home, parameters),
      environment,
    };
  }

  /** A program that carries out the operations in its stdin: test/interop/drivers tells how. */
  library(library: LibraryName, { port }: Target): CommandLine {
    const login = JSON.stringify({ port, user: USER, password: PASSWORD });
    const command = (driver: string, ...options: string[]) => ({
      program: TOOLS[library],
      parameters: [...options, join(DRIVERS, driver), login],
      environment: {},
    });
    switch (library) {
      case "paramiko":
        return command("paramiko_sftp.py", "-W", "ignore");
      case "asyncssh":
        return command("asyncssh_sftp.py", "-W", "ignore");
      case "asyncssh-2.20": {
        const environment = { PYTHONPATH: NEWER_PYTHON_PACKAGES };
        return { ...command("asyncssh_sftp.py", "-W", "ignore"), environment };
      }
      case "ssh2":
        return command("ssh2-sftp.mjs");
      case "ssh2-sftp-client":
        return command("ssh2-sftp-client-sftp.mjs");
    }
  }

  async #parameters(
    client: ProgramName,
    target: Target,
    home: string,
    parameters: readonly string[],
  ): Promise<readonly string[]> {
    switch (client) {
      case "sftp":
      case "scp":
      case "sshfs":
        return ["-F", await this.#sshConfiguration(target, home), ...parameters];
      case "sftp10":
      case "scp10":
        return ["-F", await this.#sshConfiguration(target, home), "-S", TOOLS.ssh10, ...parameters];
      case "psftp":
      case "pscp": {
        const hostKeys = target.fingerprints.flatMap((fingerprint) => ["-hostkey", fingerprint]);
        return ["-batch", "-P", `${target.port}`, "-l", USER, "-pw", PASSWORD, ...hostKeys, ...parameters];
      }
      case "lftp": {
        const ssh = `ssh -a -x -F ${await this.#sshConfiguration(target, home)}`;
        const open = [`set sftp:connect-program "${ssh}"`, "set cmd:fail-exit true", `open sftp://${USER}:@${HOST}`];
        return ["-c", [...open, ...parameters].join("; ")];
      }
      case "rclone":
        return ["--config", await this.#rcloneConfiguration(target, home), ...parameters];
      case "curl":
        return ["--silent", "--show-error", "--user", `${USER}:${PASSWORD}`, ...parameters];
    }
  }

  async #sshConfiguration({ port }: Target, home: string): Promise<string> {
    const file = join(home, ".ssh/config");
    const settings = {
      HostName: "127.0.0.1",
      Port: port,
      User: USER,
      IdentityFile: await this.#keys.openssh("ed25519"),
      IdentitiesOnly: "yes",
      UserKnownHostsFile: join(home, ".ssh/known_hosts"),
      StrictHostKeyChecking: "yes",
    };
    const lines = Object.entries(settings).map(([name, value]) => `  ${name} ${value}\n`);
    await writeFile(file, `Host ${HOST}\n${lines.join("")}`);
    return file;
  }

  async #rcloneConfiguration({ port }: Target, home: string): Promise<string> {
    const file = join(home, "rclone.conf");
    const settings = {
      type: "sftp",
      host: "127.0.0.1",
      port,
      user: USER,
      key_file: await this.#keys.openssh("ed25519"),
      known_hosts_file: join(home, ".ssh/known_hosts"),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    await writeFile(file, `[${HOST}]\n${lines.join("")}`);
    return file;
  }
}
