import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { portOf } from "../connection/channel.js";
import type { ProgramEnd } from "../session/program-end.js";
import type { SessionChannel } from "../session/session-channel.js";
import { ProcessGroup } from "./process-group.js";
import { programEnd } from "./program-end.js";
import { ProgramStreams } from "./program-streams.js";
import { signalFromName } from "./signals.js";

/** The time that a program may take to end after its client is gone, milliseconds. */
const HANG_UP_TIME = 2_000;

/** The time that a program may take to end after it was killed: one that waits for a disk may not end at all. */
const KILL_TIME = 1_000;

/** The silence after which nobody waits for more output of what an ended program has left behind, milliseconds. */
const LEFT_BEHIND_TIME = 1_000;

export interface ProgramEnds {
  readonly input: Writable | null;
  readonly output: Readable | null;
  readonly errorOutput: Readable | null;
  /** Interrupts the program as a break does: RFC 4335. */
  readonly breakIn: () => void;
  /** Each of them ends the program when it fires. */
  readonly signals: readonly AbortSignal[];
}

/** A program that is connected with a channel. */
export class RunningProgram {
  readonly #channel: SessionChannel;
  readonly #child: ChildProcess;
  readonly #group: ProcessGroup;
  readonly #streams: ProgramStreams;
  readonly #ends: ProgramEnds;
  #end: ProgramEnd | undefined;
  #hungUp = false;
  #timer: NodeJS.Timeout | undefined;
  #resolve: (end: ProgramEnd) => void = () => undefined;

  /** Resolves when the program has ended and all its output was handed on. */
  readonly ended: Promise<ProgramEnd> = new Promise((resolve) => {
    this.#resolve = resolve;
  });

  get pid(): number | undefined {
    return this.#child.pid;
  }

  constructor(channel: SessionChannel, child: ChildProcess, ends: ProgramEnds) {
    this.#channel = channel;
    this.#child = child;
    this.#ends = ends;
    this.#group = new ProcessGroup(child);
    this.#streams = new ProgramStreams(channel, ends, () => this.#outputEnded());
    channel.on("signal", this.#signal).on("break", ends.breakIn).on("eow", this.#endOfWrite);
    // A signal that cannot be sent is an event, too.
    child.on("error", () => undefined);
    for (const signal of ends.signals) signal.addEventListener("abort", this.#hangUp);
    if (this.#group.ended) this.#exited(child.exitCode, child.signalCode);
    else child.once("exit", this.#exited);
    if (ends.signals.some(({ aborted }) => aborted)) this.#hangUp();
  }

  readonly #signal = (name: string): void => {
    const signal = signalFromName(name);
    if (signal !== undefined) this.#group.send(signal);
  };

  readonly #endOfWrite = (): void => this.#streams.dropOutput();

  readonly #exited = (code: number | null, signal: NodeJS.Signals | null): void => {
    this.#end = programEnd(code, signal);
    clearTimeout(this.#timer);
    if (this.#hungUp || this.#streams.outputEnded) this.#finish(this.#end);
    else this.#awaitOutput(this.#streams.bytesRead);
  };

  #outputEnded(): void {
    if (this.#end !== undefined) this.#finish(this.#end);
  }

  /** The program has ended, but another that it has left behind may hold its output. */
  #awaitOutput(bytesRead: number): void {
    this.#timer = setTimeout(() => {
      const { bytesRead: now, isBlocked } = this.#streams;
      if (isBlocked || now !== bytesRead) this.#awaitOutput(now);
      else if (this.#end !== undefined) this.#finish(this.#end);
    }, LEFT_BEHIND_TIME);
  }

  /** Tells the program to end, and sees to it. */
  hangUp(): void {
    this.#hangUp();
  }

  readonly #hangUp = (): void => {
    if (this.#hungUp) return;
    this.#hungUp = true;
    this.#streams.destroy();
    if (this.#end !== undefined) {
      this.#finish(this.#end);
      return;
    }
    this.#group.send("SIGHUP");
    // A program that was stopped would not hear of it.
    this.#group.send("SIGCONT");
    this.#timer = setTimeout(() => this.#kill(), HANG_UP_TIME);
  };

  #kill(): void {
    this.#group.send("SIGKILL");
    this.#timer = setTimeout(() => {
      portOf(this.#channel).warn("a program was killed and has not ended", { pid: this.#child.pid });
      this.#group.unref();
      this.#finish({ signal: "KILL" });
    }, KILL_TIME);
  }

  #finish(end: ProgramEnd): void {
    clearTimeout(this.#timer);
    this.#child.off("exit", this.#exited);
    this.#channel.off("signal", this.#signal).off("break", this.#ends.breakIn).off("eow", this.#endOfWrite);
    for (const signal of this.#ends.signals) signal.removeEventListener("abort", this.#hangUp);
    this.#streams.destroy();
    this.#resolve(end);
  }
}
