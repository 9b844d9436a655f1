import { setMaxListeners } from "node:events";
import { type GivenOptions, givenOptions } from "../base/given-options.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { portOf } from "../connection/channel.js";
import { mayBeIgnored } from "../connection/pending-answer.js";
import { LatestValues } from "./latest-values.js";
import type { ProgramEnd } from "./program-end.js";
import { ProgramEnds } from "./program-ends.js";
import type { ProgramCommand, ProgramOptions } from "./program-runner.js";
import { reportedEnd, type SessionChannel } from "./session-channel.js";
import { SessionEndedError, type SessionEndReason } from "./session-ended-error.js";
import type { SessionHost } from "./session-host.js";
import { SessionStreams } from "./session-streams.js";

/** The signals that end a program which does not handle them (POSIX signal.h), without SIG. */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(["HUP", "INT", "KILL", "PIPE", "QUIT", "TERM"]);

/** The state of a session from the start of its handler to the end of all its work. */
export class SessionLife {
  readonly channel: SessionChannel;
  readonly host: SessionHost;
  readonly streams: SessionStreams;
  readonly signals = new LatestValues<string>();
  readonly breaks: LatestValues<number>;
  /** The outcome so far: one that `exit` has set is final. */
  outcome: ProgramEnd | undefined;
  readonly #abortController = new AbortController();
  /** Fires when the outcome is reported: programs end then, whether or not the client closes its channel. */
  readonly #exit = new AbortController();
  readonly #deferred: (() => MaybePromise<unknown>)[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #programEnds = new ProgramEnds();
  #settled = false;
  #gone = false;
  #reported: Promise<void> | undefined;
  #notNeeded: (() => void) | undefined;

  constructor(channel: SessionChannel, host: SessionHost) {
    this.channel = channel;
    this.host = host;
    this.streams = new SessionStreams(
      channel,
      () => new SessionEndedError(this.#goneReason),
      (name) => this.#signalled(name),
      (bytes) => host.log("info", "output came behind the end of its session, and was dropped", { bytes }),
    );
    const onBreak = (milliseconds: number) => this.breaks.push(milliseconds);
    this.breaks = new LatestValues((heard) => {
      if (heard) channel.on("break", onBreak);
      else channel.off("break", onBreak);
    });
    setMaxListeners(0, this.signal, this.#exit.signal);
    portOf(channel).input.isAwaited = true;
    channel.on("signal", (name) => this.#signalled(name));
    channel.signal.addEventListener("abort", () => this.#clientGone(), { once: true });
    channel.once("close", () => this.#clientGone());
    if (channel.destroyed || channel.signal.aborted) this.#clientGone();
  }

  get signal(): AbortSignal {
    return this.#abortController.signal;
  }

  /** Whether an outcome has been reported, or is about to be: by `exit`, or since the handler has ended. */
  get exited(): boolean {
    return this.#reported !== undefined;
  }

  /** @param listener is told once when the handler has no reason to go on: the client is gone, or the session has exited */
  onNotNeeded(listener: () => void): void {
    this.#notNeeded = listener;
    if (this.#gone || this.exited) this.#tellNotNeeded();
  }

  /** Why the session's signal has fired. */
  get endReason(): SessionEndReason | undefined {
    return this.signal.reason?.reason;
  }

  /** Fires the session's signal. The first reason counts. */
  abort(reason: SessionEndReason): void {
    if (!this.signal.aborted) this.#abortController.abort(new SessionEndedError(reason));
  }

  /**
   * Reports the outcome and closes the channel, behind all output. The first outcome counts.
   *
   * @param text for the client's error output
   */
  exit(outcome: ProgramEnd, text = ""): Promise<void> {
    if (this.#reported === undefined) {
      this.outcome = outcome;
      this.#reported = this.#report(outcome, text);
      this.abort("exit");
      this.#exit.abort(new SessionEndedError("exit"));
      this.#tellNotNeeded();
    }
    return this.#reported;
  }

  #own<Result>(work: Promise<Result>): Promise<Result> {
    this.#running.add(work);
    const done = () => this.#running.delete(work);
    work.then(done, done);
    return work;
  }

  /** @param work a function for the end of the session, which is called at once behind that; or a promise that the session waits for */
  defer(work: Promise<unknown> | (() => MaybePromise<unknown>)): void {
    if (typeof work === "function" && this.#settled) this.defer(Promise.resolve().then(work));
    else if (typeof work === "function") this.#deferred.push(work);
    else this.#own(work.catch((error: unknown) => this.host.failed("deferred work", error)));
  }

  /** Runs a program behind all output that was written so far. */
  run(command: ProgramCommand, given: GivenOptions<ProgramOptions>): Promise<ProgramEnd> {
    const start = async () => {
      const options = givenOptions(given);
      const takeBack = await this.streams.lend();
      try {
        return await this.host.run(this.channel, command, { ...options, signal: this.#programSignal(options.signal) });
      } finally {
        takeBack();
      }
    };
    const end = start();
    this.#own(mayBeIgnored(end).catch(() => {}));
    return this.#programEnds.add(end, () => given[0]?.signal);
  }

  /**
   * Tells the log of failed programs that nobody has asked about: of all errors, and of the first bad end where the handler has
   * given no outcome, so that all seems well.
   */
  reportLostEnds(gaveNothing: boolean): void {
    if (this.exited || this.signal.aborted) return;
    const { lost } = this.#programEnds;
    for (const failure of lost)
      if ("error" in failure) this.host.failed("a program that was left to the session", failure.error);
    const ended = lost.find((failure) => "end" in failure);
    if (!gaveNothing || ended === undefined) return;
    const remedy = "return session.run(…), or await it";
    portOf(this.channel).warn("a program has failed, and nobody has asked for its end", { ...ended.end, remedy });
  }

  /** One that is not a signal is left to the check of options. */
  #programSignal(given: AbortSignal | undefined): AbortSignal {
    if (given === undefined) return this.#exit.signal;
    return given instanceof AbortSignal ? AbortSignal.any([given, this.#exit.signal]) : given;
  }

  /** Does what was deferred, the last first, and waits for all work. */
  async settle(): Promise<void> {
    for (;;) {
      const work = this.#deferred.pop();
      this.#settled = work === undefined && this.#running.size === 0;
      if (this.#settled) return;
      try {
        await (work === undefined ? Promise.race(this.#running) : work());
      } catch (error) {
        this.host.failed("work that was left to the session", error);
      }
    }
  }

  /** Nothing of the session is left. */
  release(): void {
    this.abort("exit");
    this.signals.end();
    this.breaks.end();
    this.streams.release();
    portOf(this.channel).input.isAwaited = false;
    if (this.#gone) this.channel.destroy();
  }

  async #report(outcome: ProgramEnd, text: string): Promise<void> {
    await this.streams.finish();
    if (this.#gone || portOf(this.channel).output.closing) return;
    if (text !== "") this.#tell(text);
    if (reportedEnd(this.channel) === undefined) this.#send(outcome);
    this.channel.close();
  }

  #send(outcome: ProgramEnd): void {
    if ("status" in outcome) this.channel.sendExitStatus(outcome.status);
    else this.channel.sendExitSignal(outcome.signal, { coreDumped: outcome.coreDumped ?? false });
  }

  /** A terminal shows error output as it comes, so its lines have to end as a terminal's do. */
  #tell(text: string): void {
    if (this.channel.pty === undefined) this.channel.sendStderr(`${text}\n`);
    else this.channel.send(`${text.replaceAll(/\r?\n/g, "\r\n")}\r\n`);
  }

  get #goneReason(): SessionEndReason {
    return this.host.endReason(this.channel) ?? "client closed";
  }

  #clientGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    const reason = this.#goneReason;
    this.abort(reason);
    this.streams.destroy(new SessionEndedError(reason));
    this.#tellNotNeeded();
  }

  /** As in a process: a signal that nobody handles ends the session, where that is what it does. */
  #signalled(name: string): void {
    if (this.signals.heard) this.signals.push(name);
    else if (this.#running.size === 0 && ENDING_SIGNALS.has(name)) void this.exit({ signal: name });
  }

  #tellNotNeeded(): void {
    const listener = this.#notNeeded;
    this.#notNeeded = undefined;
    listener?.();
  }
}
