import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QUICK_KEX } from "../support/clients.js";
import { RunningProcess } from "./running-process.js";

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  /** Keeps standard input open until the program ends. */
  readonly stdin?: "end" | "open";
}

/** Runs a program to its end; it is killed after 20 seconds. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(program, args, { env: options.env ?? process.env, timeout: 20_000, killSignal: "SIGKILL" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined);
  if (options.input !== undefined) child.stdin.write(options.input);
  if (options.stdin !== "open") child.stdin.end();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const [out, err] = [stdout, stderr].map((chunks) => Buffer.concat(chunks).toString("utf8"));
      resolve({ stdout: out ?? "", stderr: err ?? "", code });
    });
  });
}

/** An OpenSSH client with a folder of its own, untouched by this machine's configuration. */
export class SshClient {
  readonly folder = mkdtempSync(join(tmpdir(), "spindlex-ssh-"));
  readonly #askpass = join(this.folder, "askpass");

  constructor() {
    writeFileSync(this.#askpass, '#!/bin/sh\nprintf "%s\\n" "$SPINDLEX_TEST_PASSWORD"\n');
    chmodSync(this.#askpass, 0o700);
  }

  /** Options for `ssh`, as words. */
  get options(): readonly string[] {
    const options = [
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "GlobalKnownHostsFile=/dev/null",
      "LogLevel=ERROR",
      "IdentityAgent=none",
      "IdentitiesOnly=yes",
      "NumberOfPasswordPrompts=1",
      "ConnectTimeout=10",
      QUICK_KEX,
    ];
    return ["-F", "none", ...options.flatMap((option) => ["-o", option])];
  }

  /** The environment in which `ssh` answers a password prompt. */
  environment(password: string): NodeJS.ProcessEnv {
    return {
      ...process.env,
      SSH_ASKPASS: this.#askpass,
      SSH_ASKPASS_REQUIRE: "force",
      SPINDLEX_TEST_PASSWORD: password,
      DISPLAY: ":0",
    };
  }

  /** Runs `ssh -p port …words` to its end. */
  async run(port: number, password: string, words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run("ssh", this.#arguments(port, words), { ...options, env: this.environment(password) });
  }

  /** Starts `ssh -p port …words`. */
  start(port: number, password: string, words: readonly string[]): RunningProcess {
    return new RunningProcess("ssh", this.#arguments(port, words), this.environment(password));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Of an option that is given twice, ssh takes the first: so the words can have options of their own. */
  #arguments(port: number, words: readonly string[]): string[] {
    const target = words.findIndex((word) => word.includes("@"));
    return [...words.slice(0, target), ...this.options, "-p", String(port), ...words.slice(target)];
  }
}
