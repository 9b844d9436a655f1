import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ExecClientName,
  type ExecRequest,
  type Login,
  NEWER_PYTHON_PACKAGES,
  type Target,
  TOOLS,
} from "./clients.js";
import type { ClientKeys } from "./clients-keys.js";
import { compiledC, DRIVERS } from "./compiled-drivers.js";
import { ExternalProcess, temporaryFolder } from "./tools.js";

const HOST = "127.0.0.1";

type ClientCommand = Omit<CommandLine, "environment"> & Partial<CommandLine>;

export interface CommandLine {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts real clients on one server; each gets a home folder of its own, with nothing in it but what is put there. */
export class Clients {
  readonly #keys: ClientKeys;
  readonly #folder = temporaryFolder();

  constructor(keys: ClientKeys) {
    this.#keys = keys;
  }

  async exec(client: ExecClientName, target: Target, request: ExecRequest): Promise<ExternalProcess> {
    const { program, parameters, environment } = await this.commandLine(client, target, request);
    const { input = new Uint8Array(), timeout } = request;
    return new ExternalProcess(program, parameters, { input, timeout, environment });
  }

  /** The command line that runs one command with a client. */
  async commandLine(client: ExecClientName, target: Target, request: ExecRequest): Promise<CommandLine> {
    const home = await mkdtemp(join(this.#folder, "home-"));
    const knownHosts = join(home, "known_hosts");
    await writeFile(knownHosts, target.knownHosts);
    const { environment, ...command } = await this.#commandLine(client, target, request, home, knownHosts);
    return { ...command, environment: { HOME: home, ...environment } };
  }

  /** `ssh` with the options that name the server, its host keys and the login; what to do there is left to the caller. */
  async openssh(client: "ssh" | "ssh10", target: Target, login: Login): Promise<CommandLine> {
    const { program, parameters, environment } = await this.commandLine(client, target, { login, command: "" });
    return { program, parameters: parameters.slice(0, -2), environment };
  }

  async #commandLine(
    client: ExecClientName,
    target: Target,
    request: ExecRequest,
    home: string,
    knownHosts: string,
  ): Promise<ClientCommand> {
    switch (client) {
      case "ssh":
      case "ssh10":
        return this.#openssh(client, target, request, knownHosts);
      case "plink":
        return this.#plink(target, request, home);
      case "dbclient":
        return this.#dbclient(target, request);
      case "paramiko":
        return this.#scripted(TOOLS[client], "paramiko_exec.py", target, request, knownHosts);
      case "asyncssh":
        return this.#scripted(TOOLS[client], "asyncssh_exec.py", target, request, knownHosts);
      case "asyncssh-2.20": {
        const command = await this.#scripted(TOOLS[client], "asyncssh_exec.py", target, request, knownHosts);
        return { ...command, environment: { PYTHONPATH: NEWER_PYTHON_PACKAGES } };
      }
      case "ssh2":
        return this.#scripted(TOOLS[client], "ssh2-exec.mjs", target, request, knownHosts);
      case "libssh2":
        return this.#libssh2Exec(target, request, knownHosts);
    }
  }

  async #openssh(
    client: "ssh" | "ssh10",
    { port }: Target,
    { login, command, rekeyBytes, compression, options = [] }: ExecRequest,
    knownHosts: string,
  ): Promise<ClientCommand> {
    const { user, keyType, password, newPassword, answers } = login;
    const parameters = ["-p", `${port}`, "-l", user, "-o", `UserKnownHostsFile=${knownHosts}`];
    parameters.push("-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes");
    parameters.push("-o", `IdentityFile=${keyType ? await this.#keys.openssh(keyType) : "none"}`);
    if (rekeyBytes !== undefined) parameters.push("-o", `RekeyLimit=${rekeyBytes}`);
    if (compression) parameters.push("-C");
    const [answered = password ?? "", token = "", colour = ""] = answers ?? [];
    const environment = {
      SSH_ASKPASS: join(DRIVERS, "askpass.sh"),
      SSH_ASKPASS_REQUIRE: "force",
      ANSWER_PASSWORD: answered,
      ANSWER_NEW_PASSWORD: newPassword ?? "",
      ANSWER_TOKEN: token,
      ANSWER_COLOUR: colour,
    };
    return { program: TOOLS[client], parameters: [...parameters, ...options, HOST, command], environment };
  }

  async #plink(
    target: Target,
    { login, command, rekeyBytes, compression, options = [] }: ExecRequest,
    home: string,
  ): Promise<ClientCommand> {
    const parameters = login.answers ? ["-no-antispoof"] : ["-no-antispoof", "-batch"];
    if (rekeyBytes !== undefined) {
      // The only way to set it on the command line is a saved session.
      await mkdir(join(home, ".putty/sessions"), { recursive: true });
      await writeFile(join(home, ".putty/sessions/rekey"), `RekeyBytes=${rekeyBytes}\n`);
      parameters.push("-load", "rekey");
    }
    parameters.push("-ssh", "-P", `${target.port}`, "-l", login.user);
    for (const fingerprint of target.fingerprints) parameters.push("-hostkey", fingerprint);
    if (login.keyType) parameters.push("-i", await this.#keys.putty(login.keyType));
    if (login.password !== undefined) parameters.push("-pw", login.password);
    if (compression) parameters.push("-C");
    return { program: TOOLS.plink, parameters: [...parameters, ...options, HOST, command] };
  }

  async #dbclient(target: Target, { login, command, options = [] }: ExecRequest): Promise<ClientCommand> {
    const parameters = ["-y", "-p", `${target.port}`, "-l", login.user];
    if (login.keyType) parameters.push("-i", await this.#keys.dropbear(login.keyType));
    const environment: Record<string, string> = login.answers ? {} : { DROPBEAR_PASSWORD: login.password ?? "" };
    return { program: TOOLS.dbclient, parameters: [...parameters, ...options, HOST, command], environment };
  }

  async #scripted(
    program: string,
    driver: string,
    { port }: Target,
    { login, command, rekeyBytes, compression, signal }: ExecRequest,
    knownHosts: string,
  ): Promise<ClientCommand> {
    const { keyType, ...credentials } = login;
    const key = keyType && (await this.#keys.openssh(keyType));
    const compress = compression !== undefined;
    const options = { port, knownHosts, ...credentials, key, command, rekeyBytes, compression: compress, signal };
    const quiet = driver.endsWith(".py") ? ["-W", "ignore"] : [];
    return { program, parameters: [...quiet, join(DRIVERS, driver), JSON.stringify(options)] };
  }

  async #libssh2Exec(
    target: Target,
    { login, command, compression }: ExecRequest,
    knownHosts: string,
  ): Promise<ClientCommand> {
    const { user, keyType, password = "", answers } = login;
    let credential = ["password", password];
    if (answers) credential = ["answers", answers.join(",")];
    else if (keyType) credential = ["key", await this.#keys.openssh(keyType)];
    const parameters = [`${target.port}`, user, knownHosts, ...credential, compression ? "1" : "0", command];
    const { program } = await compiledC("libssh2", "libssh2-exec.c");
    return { program, parameters };
  }
}
