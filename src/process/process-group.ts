import type { ChildProcess } from "node:child_process";
import { systemErrorCode } from "../base/system-error-code.js";

/** A program and all that it has started and not put elsewhere. */
export class ProcessGroup {
  readonly #leader: ChildProcess;

  constructor(leader: ChildProcess) {
    this.#leader = leader;
  }

  /** Whether the program has ended: its number may be another's by now. */
  get ended(): boolean {
    return this.#leader.exitCode !== null || this.#leader.signalCode !== null;
  }

  /** Sends a signal to the group, or to the program alone where it does not lead one. */
  send(signal: NodeJS.Signals): void {
    const { pid } = this.#leader;
    if (pid === undefined || this.ended) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // EPERM: a program that has become another user cannot be reached.
      if (systemErrorCode(error) === "ESRCH") this.#leader.kill(signal);
    }
  }

  /** This process may end before the program does. */
  unref(): void {
    this.#leader.unref();
  }
}
