import type { ChannelPort } from "../connection/channel.js";
import type { OutputProgram } from "../connection/channel-output.js";
import { encodeExitStatus } from "../protocol/messages/exit.js";

/** The time that a program which has ended its output gets to report its exit status, milliseconds. */
export const EXIT_STATUS_TIME = 1_000;

/** The status of a program whose hook has refused it, or has thrown, after it had begun. */
const FAILURE = 1;

type Decision = boolean | Promise<boolean>;

/** Hears of a program that had begun when its hook refused it or threw: the client has had its reply by then. */
export interface ProgramReport {
  refusedLate(): void;
  failedLate(error: unknown): void;
}

/** How a program has ended, in the words of its exit status or exit signal (RFC 4254 §6.10). */
export type ReportedEnd = { readonly status: number } | { readonly signal: string; readonly coreDumped: boolean };

type Encode = (recipientChannel: number) => Buffer;

/** The part of a session's channel that its program uses. */
interface ProgramChannel {
  readonly readableFlowing: boolean | null;
  close(): void;
}

/** The program of a session's channel, from the hook that decides about it to its exit status and the CLOSE behind it. */
export class SessionProgram implements OutputProgram {
  readonly #channel: ProgramChannel;
  readonly #port: ChannelPort;
  /** `deciding`: the hook has not answered. `begun`: neither, but the client was told that the program has started. */
  #state: "none" | "deciding" | "begun" | "running" | "failed" = "none";
  #answerEarly: (() => void) | undefined;
  /** Somebody has read the channel since before the hook was asked. */
  #wasRead = false;
  /** What was to be reported of the program's end before its hook had answered. */
  #early: { readonly what: string; readonly encode: Encode } | undefined;
  #reported = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(channel: ProgramChannel, port: ChannelPort) {
    this.#channel = channel;
    this.#port = port;
  }

  /** @returns the answer to the client: that of the hook, or `true` as soon as it has begun the program */
  start(decide: () => Decision, report: ProgramReport): Decision {
    if (this.#state !== "none") return false;
    this.#state = "deciding";
    this.#wasRead = this.#channel.readableFlowing === true;
    this.#port.output.follow(this);
    const settle = (allowed: boolean) => this.#settle(allowed, report);
    const fail = (error: unknown) => this.#fail(error, report);
    let decision: Decision;
    try {
      decision = decide();
    } catch (error) {
      return fail(error);
    }
    if (!(decision instanceof Promise)) return settle(decision);
    const settled = decision.then(settle, fail);
    const done = () => {
      this.#port.work = undefined;
    };
    this.#port.work = settled.then(done, done);
    if (this.#state !== "deciding") return true;
    const begun = new Promise<boolean>((resolve) => {
      this.#answerEarly = () => resolve(true);
    });
    return Promise.race([settled, begun]);
  }

  /** The hook uses the channel: the program has begun. */
  begin(): void {
    if (this.#state !== "deciding") return;
    this.#state = "begun";
    this.#answerEarly?.();
  }

  beginByReading(): void {
    if (!this.#wasRead) this.begin();
  }

  written(): void {
    this.begin();
  }

  /** Sends how the program has ended, once its hook has answered. */
  report(what: string, encode: Encode): void {
    this.begin();
    if (this.#state === "begun") this.#early = { what, encode };
    else this.#send(what, encode);
  }

  outputEnded(): void {
    if (this.#state === "running" || this.#state === "failed") {
      if (this.#reported) this.#end();
      else this.#deadline ??= setTimeout(() => this.#end(), EXIT_STATUS_TIME);
    }
  }

  /** The channel is destroyed. */
  abandon(): void {
    clearTimeout(this.#deadline);
  }

  /** The channel is about to be closed, which waits for nothing but its output. */
  beforeClose(): void {
    this.begin();
    this.#reportEarly();
    // The output has ended, and its end says that all went well.
    if (this.#deadline !== undefined) this.#complete();
  }

  #settle(allowed: boolean, report: ProgramReport): boolean {
    if (this.#state === "deciding") {
      this.#state = allowed ? "running" : "none";
      return allowed;
    }
    if (allowed) this.#succeed();
    else this.#breakOff(() => report.refusedLate());
    return true;
  }

  #fail(error: unknown, report: ProgramReport): boolean {
    if (this.#state === "deciding") {
      this.#state = "none";
      throw error;
    }
    this.#breakOff(() => report.failedLate(error));
    return true;
  }

  #succeed(): void {
    this.#state = "running";
    this.#reportEarly();
    this.#port.output.settle();
  }

  #breakOff(tell: () => void): void {
    this.#state = "failed";
    tell();
    this.#early = undefined;
    if (!this.#port.output.closing) this.#send("an exit status", (recipient) => encodeExitStatus(recipient, FAILURE));
    this.#channel.close();
  }

  #reportEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#send(early.what, early.encode);
  }

  #send(what: string, encode: Encode): void {
    this.#reported = true;
    this.#port.sendAfterOutput(what, encode);
    this.#port.output.settle();
  }

  #complete(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (!this.#reported) this.#send("an exit status", (recipient) => encodeExitStatus(recipient, 0));
  }

  #end(): void {
    this.#complete();
    this.#channel.close();
  }
}
