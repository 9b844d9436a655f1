import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll } from "vitest";
import { extent } from "./extent.js";

export interface ProcessOptions {
  /** What the program reads: all of it, then end of file. Without it stdin stays open until `stdin.end()` or the end. */
  readonly input?: Uint8Array | Readable | undefined;
  /** Added to a bare environment: nothing of the person's own agent, home or locale reaches the program. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds after which the program is killed and the wait fails. */
  readonly timeout?: number | undefined;
}

export interface ProcessResult {
  /** `undefined` when a signal ended the program. */
  readonly code: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT = extent(20_000, 120_000);

/** A folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An external program under test: it is killed, by its pid, at its time limit and when the scope that uses it ends. */
export class ExternalProcess implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #description: string;
  readonly finished: Promise<ProcessResult>;

  constructor(command: string, parameters: readonly string[], options: ProcessOptions = {}) {
    this.#description = [command, ...parameters].join(" ");
    this.#child = spawn(command, parameters, {
      env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8", HOME: tmpdir(), ...options.environment },
      stdio: "pipe",
    });
    this.#collect(this.#child.stdout, this.#stdout);
    this.#collect(this.#child.stderr, this.#stderr);
    this.finished = this.#settle(options.timeout ?? DEFAULT_TIMEOUT);
    // Tests that only wait for output still learn of a failure there; an unawaited end must not end the test run.
    this.finished.catch(() => {});
    this.#feed(options.input);
  }

  get stdin(): NodeJS.WritableStream {
    return this.#child.stdin;
  }

  get output(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get errorOutput(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Resolves once stdout or stderr contains `text`; fails when the program ends or its time is over before. */
  untilOutput(text: string): Promise<void> {
    return this.#until(() => this.output.includes(text) || this.errorOutput.includes(text), JSON.stringify(text));
  }

  /** @returns a line of stdout, of which the first is number 0, once it is complete; fails as `untilOutput` does */
  async line(number: number): Promise<string> {
    const lines = () => this.output.split("\n").slice(0, -1);
    await this.#until(() => lines().length > number, `line ${number}`);
    return lines()[number] ?? "";
  }

  #until(isThere: () => boolean, description: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isThere()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
      const ended = () => reject(new Error(`ended without ${description}: ${this.#report()}`));
      this.finished.then(ended, ended);
    });
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  [Symbol.dispose](): void {
    this.kill();
  }

  #collect(stream: Readable, chunks: Buffer[]): void {
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      for (const look of this.#watchers) look();
    });
  }

  #feed(input: Uint8Array | Readable | undefined): void {
    if (input === undefined) {
      this.#child.stdin.on("error", () => {});
      return;
    }
    const source = input instanceof Uint8Array ? new PassThrough().end(input) : input;
    // A program may end without having read its input: what that means is in its exit code.
    pipeline(source, this.#child.stdin).catch(() => {});
  }

  #settle(timeout: number): Promise<ProcessResult> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        reject(new Error(`still running after ${timeout} ms: ${this.#report()}`));
      }, timeout);
      this.#child.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      this.#child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? undefined, stdout: Buffer.concat(this.#stdout), stderr: this.errorOutput });
      });
    });
  }

  #report(): string {
    return `${this.#description}\nstdout: ${this.output.slice(-2000)}\nstderr: ${this.errorOutput.slice(-4000)}`;
  }
}

/** Runs a program to its end. Without `input` its stdin is at end of file from the start. */
export function run(
  command: string,
  parameters: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new ExternalProcess(command, parameters, { input: new Uint8Array(), ...options }).finished;
}

/** As `run`, for helpers that have to succeed: anything but exit code 0 throws with what the program said. */
export async function runOk(command: string, parameters: readonly string[], options?: ProcessOptions): Promise<string> {
  const { code, stdout, stderr } = await run(command, parameters, options);
  if (code !== 0) throw new Error(`${command} ${parameters.join(" ")} exited with ${code}: ${stderr}`);
  return stdout.toString();
}
