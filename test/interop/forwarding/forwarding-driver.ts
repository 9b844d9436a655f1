import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NEWER_PYTHON_PACKAGES, type Target, TOOLS } from "../../support/clients.js";
import { compiledC, compiledGo, compiledJava, DRIVERS, type Driver } from "../../support/compiled-drivers.js";
import { ExternalProcess } from "../../support/tools.js";

export type ForwardingLibrary =
  | "paramiko"
  | "asyncssh"
  | "asyncssh-2.20"
  | "go"
  | "jsch"
  | "net-ssh"
  | "libssh"
  | "libssh2"
  | "ssh2";

/** A library, logged in as admin, that forwards what it is asked to: see test/interop/drivers/README.md. */
export class ForwardingDriver {
  readonly #process: ExternalProcess;
  #asked = 0;

  private constructor(process: ExternalProcess) {
    this.#process = process;
  }

  /**
   * @param folder an empty one
   * @param environment SSH_AUTH_SOCK, DISPLAY, and for JSch, which has an agent of its own, AGENT_KEY: a file with its key
   */
  static async start(
    library: ForwardingLibrary,
    folder: string,
    target: Target,
    environment: Readonly<Record<string, string>>,
  ): Promise<ForwardingDriver> {
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, target.knownHosts);
    const { program, before } = await driver(library);
    const parameters = [...before, `${target.port}`, "admin", knownHosts, "secret"];
    const newer = library === "asyncssh-2.20" && { PYTHONPATH: NEWER_PYTHON_PACKAGES };
    const process = new ExternalProcess(program, parameters, {
      environment: { HOME: folder, ...environment, ...newer },
    });
    return new ForwardingDriver(process);
  }

  /** @throws with the library's own error */
  async ask(...words: readonly (string | number)[]): Promise<string> {
    this.#process.stdin.write(`${words.join("\t")}\n`);
    const [result, text = ""] = (await this.#process.line(this.#asked++)).split("\t");
    if (result !== "done") throw new Error(text);
    return text;
  }

  /** Lets the library end the connection. */
  async end(): Promise<number | undefined> {
    this.#process.stdin.end();
    return (await this.#process.finished).code;
  }

  kill(): void {
    this.#process.kill();
  }
}

async function driver(library: ForwardingLibrary): Promise<Driver> {
  const program = TOOLS[library];
  switch (library) {
    case "paramiko":
      return { program, before: ["-W", "ignore", join(DRIVERS, "paramiko_forwarding.py")] };
    case "asyncssh":
    case "asyncssh-2.20":
      return { program, before: ["-W", "ignore", join(DRIVERS, "asyncssh_forwarding.py")] };
    case "net-ssh":
      return { program, before: [join(DRIVERS, "net_ssh_forwarding.rb")] };
    case "ssh2":
      return { program, before: [join(DRIVERS, "ssh2-forwarding.mjs")] };
    case "go":
      return compiledGo("go-forwarding.go");
    case "jsch":
      return compiledJava("JSchForwarding");
    case "libssh":
    case "libssh2":
      return compiledC(library, `${library}-forwarding.c`);
  }
}
