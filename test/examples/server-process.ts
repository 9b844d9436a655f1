import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

/** A server as a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(process.execPath, ["--import", "tsx", file, ...args], { env });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#exited = once(this.#child, "close").then(([code]) => code as number | null);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the server process could not be started");
    return this.#child.pid;
  }

  /** What `pattern` finds in the standard output, as soon as it is there. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      const ended = await Promise.race([
        once(this.#child.stdout, "data").then(() => false),
        this.#exited.then(() => true),
      ]);
      if (ended && !pattern.test(this.stdout)) throw new Error(`the server has ended:\n${this.stdout}${this.stderr}`);
    }
  }

  /** The port it says that it listens on. */
  async port(): Promise<number> {
    const [, port] = await this.output(/^Listening on \S+:(\d+)$/m);
    return Number(port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, `null` when a signal ended it. */
  async exitCode(): Promise<number | null> {
    return this.#exited;
  }

  /** Ends it, whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
