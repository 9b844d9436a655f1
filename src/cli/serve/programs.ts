import { type Channel, type ProgramCommand, type ProgramEnd, ProgramStartError, runProgram } from "../../index.js";
import { channelOrigin } from "./channel-origin.js";
import type { Log } from "./log.js";

const CANNOT_RUN = 126;

export interface ProgramsOptions {
  /** Whether commands are run. */
  readonly commands: boolean;
  /** Whether login shells are run. */
  readonly shells: boolean;
  readonly logger: Log;
}

/** Runs the programs of all channels as the user who runs the server, and knows which are still there. */
export class Programs {
  readonly commands: boolean;
  readonly shells: boolean;
  readonly #logger: Log;
  readonly #ended = new Set<Promise<void>>();
  readonly #groups = new Set<number>();

  constructor({ commands, shells, logger }: ProgramsOptions) {
    this.commands = commands;
    this.shells = shells;
    this.#logger = logger;
  }

  /** Runs a command in the user's shell. */
  runCommand(channel: Channel, command: string): void {
    this.#track(this.#run(channel, { shell: command }));
  }

  /** Runs the user's shell as a login shell. */
  runShell(channel: Channel): void {
    this.#track(this.#run(channel, { loginShell: true }));
  }

  /** Ends every program that still runs, without giving it a chance to refuse. */
  killAll(): void {
    for (const group of this.#groups) {
      try {
        process.kill(-group, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }

  /** Resolves when no program runs any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#ended);
  }

  #track(run: Promise<void>): void {
    this.#ended.add(run);
    void run.then(() => this.#ended.delete(run));
  }

  async #run(channel: Channel, command: ProgramCommand): Promise<void> {
    const { PATH } = process.env;
    let group: number | undefined;
    const started = (pid: number) => {
      group = pid;
      this.#groups.add(pid);
    };
    try {
      report(channel, await runProgram(channel, command, { started, ...(PATH !== undefined && { env: { PATH } }) }));
    } catch (error) {
      this.#fail(channel, error);
    } finally {
      if (group !== undefined) this.#groups.delete(group);
    }
  }

  #fail(channel: Channel, error: unknown): void {
    if (channel.signal.aborted) return;
    // The log has the reason.
    const known = error instanceof ProgramStartError;
    if (!known) this.#logger.error({ ...channelOrigin(channel), err: error }, "a program could not be started");
    channel.sendStderr(`${known ? error.message : "programs cannot be run here"}\n`);
    report(channel, { status: known ? error.status : CANNOT_RUN });
  }
}

function report(channel: Channel, end: ProgramEnd): void {
  if (channel.signal.aborted) return;
  if ("status" in end) channel.sendExitStatus(end.status);
  else channel.sendExitSignal(end.signal);
  channel.close();
}
