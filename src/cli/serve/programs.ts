import { isUtf8 } from "node:buffer";
import { userInfo } from "node:os";
import { basename } from "node:path";
import type { Logger } from "pino";
import type { Channel } from "../../index.js";
import { StartError } from "../errors.js";
import { channelOrigin } from "./channel-origin.js";
import { Program } from "./program.js";

/** The account that programs run as. */
export interface Account {
  readonly name: string;
  readonly home: string;
  /** Path of the login shell. */
  readonly shell: string;
}

/**
 * The account that this process runs as.
 *
 * @throws {StartError} on systems without login shells
 */
export function currentAccount(): Account {
  const { username, homedir, shell } = userInfo();
  if (!shell) throw new StartError("--allow-exec needs a user with a login shell");
  return { name: username, home: homedir, shell };
}

/** Runs the programs of all channels, and knows which are still there. */
export class Programs {
  readonly #account: Account;
  readonly #logger: Logger;
  readonly #running = new Set<Program>();

  constructor(account: Account, logger: Logger) {
    this.#account = account;
    this.#logger = logger;
  }

  /** Runs a command in the user's shell. Resolves once it has started, rejects when it cannot. */
  async runCommand(channel: Channel, command: string): Promise<void> {
    await this.#run(channel, ["-c", command], this.#account.shell);
  }

  /** Runs the user's shell as a login shell, which a dash in front of its name tells it. */
  async runShell(channel: Channel): Promise<void> {
    await this.#run(channel, [], `-${basename(this.#account.shell)}`);
  }

  /** Ends every program that still runs, without giving it a chance to refuse. */
  killAll(): void {
    for (const program of this.#running) program.kill("SIGKILL");
  }

  /** Resolves when no program runs any more. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running].map((program) => program.ended));
  }

  async #run(channel: Channel, args: readonly string[], argv0: string): Promise<void> {
    const { shell, home } = this.#account;
    await this.#forward(channel);
    const environment = this.#environment(channel);
    const program = await Program.start(channel, { file: shell, args, argv0, folder: home, environment });
    this.#running.add(program);
    void program.ended.then(() => this.#running.delete(program));
  }

  /** Makes the agent and the display of a client available to its programs, by variables of the channel's environment. */
  async #forward(channel: Channel): Promise<void> {
    const results = await Promise.allSettled([channel.agent?.listen(), channel.x11?.listen()]);
    for (const result of results) {
      if (result.status === "fulfilled" || channel.signal.aborted) continue;
      this.#logger.warn(
        { ...channelOrigin(channel), err: result.reason },
        "a program runs without the client's agent or display",
      );
    }
  }

  /** Nothing of the server's own environment but PATH: it may hold secrets, such as the host key's passphrase. */
  #environment(channel: Channel): NodeJS.ProcessEnv {
    const { name, home, shell } = this.#account;
    return {
      ...Object.fromEntries(this.#textVariables(channel)),
      PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
      HOME: home,
      USER: name,
      LOGNAME: name,
      SHELL: shell,
    };
  }

  /** Node.js starts programs with variables of text: a value that is not UTF-8 would reach them changed. */
  #textVariables(channel: Channel): [string, string][] {
    const all = [...channel.environment];
    const variables = all.filter(([, value]) => !isUtf8(value)).map(([name]) => name);
    if (variables.length > 0) {
      this.#logger.warn({ ...channelOrigin(channel), variables }, "variables that are not UTF-8 were left out");
    }
    return all.filter(([name]) => !variables.includes(name)).map(([name, value]) => [name, value.toString()]);
  }
}
