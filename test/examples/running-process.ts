import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { builtFile } from "../support/build.js";

/** A program that runs beside the test. */
export class RunningProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string) {
    this.#child = spawn(program, args, { env, cwd });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#exited = once(this.#child, "close").then(([code]) => code as number | null);
  }

  /** What `pattern` finds in its standard output, as soon as it is there. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#find("stdout", pattern);
  }

  /** What `pattern` finds in its standard error, as soon as it is there. */
  async errorOutput(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#find("stderr", pattern);
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#child.stdin.end();
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

  async #find(name: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[name]);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        await this.#exited;
        if (!pattern.test(this[name])) throw new Error(`ended without ${pattern}:\n${this.stdout}${this.stderr}`);
      } else {
        const waiting = new AbortController();
        const { signal } = waiting;
        await Promise.race([once(this.#child[name], "data", { signal }), once(this.#child, "exit", { signal })]);
        waiting.abort();
      }
    }
  }
}

/**
 * Starts a program of `src/` or `examples/`.
 *
 * @param cwd its working directory; default that of the tests
 */
export function startProgram(
  file: string,
  args: readonly string[] = [],
  env?: NodeJS.ProcessEnv,
  cwd?: string,
): RunningProcess {
  return new RunningProcess(process.execPath, [resolve(builtFile(file)), ...args], env, cwd);
}

/** The port that a server says it listens on. */
export async function listeningPort(server: RunningProcess): Promise<number> {
  const [, port] = await server.output(/^Listening on \S+:(\d+)$/m);
  return Number(port);
}
