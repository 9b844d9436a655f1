import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Channel } from "../../index.js";
import { signalFromName, signalToName } from "./signals.js";

/** The time that a program may take to end after its client is gone, milliseconds. */
const HANG_UP_GRACE = 2_000;

export interface ProgramLaunch {
  readonly file: string;
  readonly args: readonly string[];
  /** The name that the program sees as its own. */
  readonly argv0: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** A program connected to a channel. When one of the two ends, so does the other. */
export class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #channel: Channel;
  #resolveEnded: () => void = () => undefined;

  /** Resolves when the program has ended, or was told to and did not. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#resolveEnded = resolve;
  });

  /** Starts a program as the leader of a process group of its own. Rejects when it cannot be started. */
  static async start(channel: Channel, launch: ProgramLaunch): Promise<Program> {
    const child = spawn(launch.file, launch.args, {
      argv0: launch.argv0,
      cwd: launch.folder,
      env: launch.environment,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    await once(child, "spawn");
    return new Program(child, channel);
  }

  private constructor(child: ChildProcessWithoutNullStreams, channel: Channel) {
    this.#child = child;
    this.#channel = channel;
    child.once("exit", this.#resolveEnded);
    this.#connectStreams();
    this.#connectSignals();
  }

  /**
   * Sends a signal to the program and all that it has started, unless it has ended: its id may be another's by then.
   */
  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.#hasEnded()) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // A program that has become another user cannot be reached.
    }
  }

  #connectStreams(): void {
    const { stdin, stdout, stderr } = this.#child;
    // The one thing that can go wrong with them is that the program ends, which "close" tells.
    for (const stream of [stdin, stdout, stderr]) stream.on("error", () => undefined);
    stdout.pipe(this.#channel, { end: false });
    stderr.pipe(this.#channel.stderr, { end: false });
    this.#channel.pipe(stdin);
    // A program may close its input early. The bytes that still come are thrown away, so that the client can finish
    // sending.
    stdin.once("close", () => {
      this.#channel.unpipe(stdin);
      this.#channel.resume();
    });
  }

  #connectSignals(): void {
    const forward = (name: string) => {
      const signal = signalFromName(name);
      if (signal !== undefined) this.kill(signal);
    };
    const hangUp = () => this.#hangUp();
    const { signal: gone } = this.#channel;
    this.#channel.on("signal", forward);
    gone.addEventListener("abort", hangUp, { once: true });
    if (gone.aborted) this.#hangUp();
    // Not at "exit", but when all output has been read too.
    this.#child.once("close", (code, signal) => {
      this.#channel.off("signal", forward);
      gone.removeEventListener("abort", hangUp);
      if (!gone.aborted) this.#reportEnd(code, signal);
    });
  }

  #hangUp(): void {
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
    if (this.#hasEnded()) return;
    this.kill("SIGHUP");
    const timer = setTimeout(() => {
      this.kill("SIGKILL");
      this.#child.unref();
      this.#resolveEnded();
    }, HANG_UP_GRACE);
    this.#child.once("exit", () => clearTimeout(timer));
  }

  #reportEnd(code: number | null, signal: NodeJS.Signals | null): void {
    const signalName = signal === null ? undefined : signalToName(signal);
    if (signalName !== undefined) this.#channel.sendExitSignal(signalName);
    // For a signal that SSH has no name for, the status with which shells report it.
    else this.#channel.sendExitStatus(signal === null ? (code ?? 0) : 128 + constants.signals[signal]);
    this.#channel.close();
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
