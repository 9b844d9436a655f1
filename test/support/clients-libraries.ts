import { chmod, copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LibraryClientName, type Target, TOOLS } from "./clients.js";
import type { CommandLine } from "./clients-exec.js";
import type { ClientKeys, KeyType } from "./clients-keys.js";
import type { Operation } from "./clients-sftp.js";
import { compiled } from "./compiled.js";
import { compiledC, compiledGo, compiledJava, DRIVERS, type Driver } from "./compiled-drivers.js";
import type { OperationResult } from "./sftp-fixture.js";
import { run, temporaryFolder } from "./tools.js";

export interface LibraryLogin {
  /** Default `admin`, with its password. */
  readonly password?: string;
  /** In place of the password. */
  readonly keyType?: KeyType;
  /** The client itself asks for new keys after so many bytes. */
  readonly rekeyBytes?: number;
}

/** The drivers that read JSON; the others read lines. */
const READS_JSON: readonly LibraryClientName[] = ["phpseclib", "net-ssh", "go", "conch", "net-sftp-foreign"];

/** Carries out operations with libraries, each from a home folder of its own. */
export class LibraryClients {
  readonly #keys: ClientKeys;
  readonly #folder = temporaryFolder();

  constructor(keys: ClientKeys) {
    this.#keys = keys;
  }

  /** @throws when the driver fails, which it does when it cannot connect or log in */
  async operate(
    client: LibraryClientName,
    target: Target,
    operations: readonly Operation[],
    login: LibraryLogin = {},
  ): Promise<OperationResult[]> {
    const { program, parameters, environment } = await this.#commandLine(client, target, login);
    const isJSON = READS_JSON.includes(client);
    const input = Buffer.from(isJSON ? JSON.stringify(operations) : toLines(operations));
    const { code, stdout, stderr } = await run(program, parameters, { environment, input });
    if (code !== 0) throw new Error(`${client} exited with ${code}: ${stderr}`);
    return isJSON ? JSON.parse(stdout.toString()) : fromLines(stdout.toString());
  }

  async #commandLine(
    client: LibraryClientName,
    { port, knownHosts }: Target,
    login: LibraryLogin,
  ): Promise<CommandLine> {
    const { keyType, password = "secret", rekeyBytes } = login;
    const home = await mkdtemp(join(this.#folder, "home-"));
    const hosts = join(home, "known_hosts");
    await writeFile(hosts, knownHosts);
    const key = keyType && (await this.#copyKey(client, keyType, home));
    const options = { port, user: "admin", knownHosts: hosts, ...(key ? { key } : { password }), rekeyBytes };
    const words = [`${port}`, "admin", hosts, ...(key ? ["key", key] : ["password", password]), `${rekeyBytes ?? 0}`];
    const parameters = READS_JSON.includes(client) ? [JSON.stringify(options)] : words;
    const { program, before } = await driver(client);
    return { program, parameters: [...before, ...parameters], environment: { HOME: home } };
  }

  /** Under the name that OpenSSH gives it, which Erlang looks for. */
  async #copyKey(client: LibraryClientName, type: KeyType, home: string): Promise<string> {
    // JSch 0.1.55 does not read OpenSSH's own format; of Net::SSH 7.0.1 only Ed25519 keys are of use in it.
    const isPEM = client === "jsch" || (client === "net-ssh" && type !== "ed25519");
    const copy = join(home, `id_${type.replace(/\d+$/, (digits) => (type === "ed25519" ? digits : ""))}`);
    await copyFile(await (isPEM ? this.#keys.pem(type) : this.#keys.openssh(type)), copy);
    await chmod(copy, 0o600);
    return copy;
  }
}

async function driver(client: LibraryClientName): Promise<Driver> {
  const program = TOOLS[client];
  switch (client) {
    case "libssh":
      return compiledC(client, "libssh-client.c");
    case "go":
      return compiledGo("go-client.go");
    case "jsch":
      return compiledJava("JSchClient");
    case "erlang": {
      const source = join(DRIVERS, "erlang_client.erl");
      const folder = await compiled({
        tool: client,
        sources: [source],
        compiler: "erlc",
        parameters: (made) => ["-o", made, source],
      });
      const quiet = ["-noshell", "-kernel", "logger_level", "error"];
      return { program, before: [...quiet, "-pa", folder, "-s", "erlang_client", "main", "-extra"] };
    }
    case "phpseclib":
      return { program, before: [join(DRIVERS, "phpseclib_client.php")] };
    case "net-ssh":
      return { program, before: [join(DRIVERS, "net_ssh_client.rb")] };
    case "conch":
      return { program, before: ["-W", "ignore", join(DRIVERS, "conch_client.py")] };
    case "net-sftp-foreign":
      return { program, before: [join(DRIVERS, "sftp_foreign_client.pl")] };
  }
}

function toLines(operations: readonly Operation[]): string {
  return operations.map((words) => `${words.map((word) => encodeURIComponent(word)).join("\t")}\n`).join("");
}

function fromLines(output: string): OperationResult[] {
  const lines = output.split("\n").slice(0, -1);
  return lines.map((line) => {
    const [kind = "", ...words] = line.split("\t").map((word) => decodeURIComponent(word));
    switch (kind) {
      case "null":
        return { value: null };
      case "error":
        return { error: words[0] ?? "" };
      case "text":
        return { value: words[0] };
      case "list":
        return { value: words };
      case "exec":
        return { value: { status: Number(words[0]), stdout: words[1], stderr: words[2] } };
      default:
        throw new Error(`a driver puts out ${line}`);
    }
  });
}
