import type { Writable } from "node:stream";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFlag, checkOptions, checkText } from "../base/option-checks.js";
import { Channel, type ChannelLink, type ChannelParameters, portOf } from "../connection/channel.js";
import { encodeExitSignal, encodeExitStatus } from "../protocol/messages/exit.js";
import type { Connection } from "./connection.js";
import type { ForwardedAgent } from "./forwarded-agent.js";
import type { ForwardedX11 } from "./forwarded-x11.js";
import { type ProgramReport, type ReportedEnd, SessionProgram } from "./session-program.js";

/** A terminal, as `pty-req` and `window-change` describe it (RFC 4254 §6.2 and §6.7). */
export interface PseudoTerminal {
  /** Value of TERM, in the bytes that the client has sent. */
  readonly term: Buffer;
  /** Characters. */
  readonly width: number;
  /** Lines. */
  readonly height: number;
  /** Pixels; 0 where unknown. */
  readonly pixelWidth: number;
  /** Pixels; 0 where unknown. */
  readonly pixelHeight: number;
  /** Mnemonics of RFC 4254 §8 with their values. */
  readonly modes: ReadonlyMap<string, number>;
}

/** The events of a session's channel, beside those of streams. */
export interface SessionEvents {
  /** The client sends a signal; its name comes without SIG (RFC 4254 §6.9). */
  readonly signal: [name: string];
  /** The client asks for a break of so many milliseconds (RFC 4335). */
  readonly break: [milliseconds: number];
  /** The client's terminal has another size. */
  readonly resize: [pty: PseudoTerminal];
  /** The client takes no more output (OpenSSH PROTOCOL §2.1); without a listener the channel is closed. */
  readonly eow: [];
}

/** The methods of an emitter. They know the types of a session's events; those of a stream come behind them. */
interface SessionEmitter {
  on<Event extends keyof SessionEvents>(event: Event, listener: (...values: SessionEvents[Event]) => void): this;
  once<Event extends keyof SessionEvents>(event: Event, listener: (...values: SessionEvents[Event]) => void): this;
  off<Event extends keyof SessionEvents>(event: Event, listener: (...values: SessionEvents[Event]) => void): this;
  emit<Event extends keyof SessionEvents>(event: Event, ...values: SessionEvents[Event]): boolean;
}

type ChannelConstructor = new <Data>(
  ...parameters: ConstructorParameters<typeof Channel<Connection<Data>>>
) => SessionEmitter & Channel<Connection<Data>>;

type Decision = MaybePromise<boolean>;

/**
 * Starts the program of a session if `decide` allows it. There is one for each session (RFC 4254 §6.5): where one runs, or
 * is being decided on, nobody is asked.
 *
 * @returns the answer to the client
 */
export let startProgram: (channel: SessionChannel, decide: () => Decision, report: ProgramReport) => Decision;

/**
 * The answer of a hook that is asked for a program: `true` where it has started. A hook that has ended the program's output
 * itself may leave it out.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: the result of an async hook without `return` is a promise of void
export type ProgramDecision = boolean | void;

/** The status of a child of Node.js that has none, as `ssh` has it. */
const NO_STATUS = 255;

/** How the program of a session has ended, as far as that was reported. */
export let reportedEnd: (channel: SessionChannel) => ReportedEnd | undefined;

type WriteCallback = (error?: Error | null) => void;

/**
 * The channel of a session (RFC 4254 §6), on which a client runs a program. The hook that is asked for the program has begun
 * it when it writes or reads: the client gets its reply then. `end()` ends the program: output and error output, exit status,
 * EOF and CLOSE follow in this order. They wait for the hook, and another second for `sendExitStatus` or `sendExitSignal`;
 * without one the status is 0. `sendEof()` is EOF alone.
 */
export class SessionChannel<Data = unknown> extends (Channel as ChannelConstructor)<Data> {
  static {
    startProgram = (channel, decide, report) => channel.#program.start(decide, report);
    reportedEnd = (channel) => channel.#reportedEnd;
  }

  /**
   * Variables of the session: those of the user's permissions, and what the client has asked for and the server's hook
   * has accepted; values in the bytes that the client has sent.
   */
  readonly environment: Map<string, Buffer>;
  /** The command that the client asked for, if another one was forced (`forceCommand`); `undefined` for a shell. */
  originalCommand: Buffer | undefined;
  /** The terminal, where one was asked for and accepted. */
  pty: PseudoTerminal | undefined;
  /** The client's agent, where the client has asked for its forwarding (`ssh -A`) and that was allowed. */
  agent: ForwardedAgent | undefined;
  /** X11 forwarding, where the client has asked for it and was allowed. */
  x11: ForwardedX11 | undefined;
  readonly #program: SessionProgram;
  #reportedEnd: ReportedEnd | undefined;

  /** @internal Channels are made by the library. */
  constructor(parameters: ChannelParameters, link: ChannelLink, connection: Connection<Data>) {
    super(parameters, link, connection);
    this.#program = new SessionProgram(this, portOf(this));
    const variables = Object.entries(connection.permissions.environment);
    this.environment = new Map(variables.map(([name, value]) => [name, Buffer.from(value)]));
  }

  /**
   * Reports the exit status of the program (RFC 4254 §6.10), behind all output that was written so far. After `close()`
   * it is not sent, and the log has a warning.
   *
   * @param status 0 to 2^32 - 1; or what Node.js tells of a child that has no status of its own: `null` where a signal has
   *   ended it, and a negative number where it could not be started. Both are sent as 255
   * @throws {RangeError} when the status is another value
   */
  sendExitStatus(status: number | null): void {
    const sent = status === null || (Number.isInteger(status) && status < 0) ? NO_STATUS : status;
    if (!Number.isInteger(sent) || sent > 0xffffffff) {
      throw new RangeError(`an exit status is an integer from 0 to ${0xffffffff}, not ${status}`);
    }
    this.#reportedEnd = { status: sent };
    this.#program.report("an exit status", (recipient) => encodeExitStatus(recipient, sent));
  }

  /**
   * Reports that a signal has ended the program (RFC 4254 §6.10), behind all output that was written so far. After
   * `close()` it is not sent, and the log has a warning.
   *
   * @param name with or without SIG in front: `TERM`, `SIGKILL`, …
   * @throws {ConfigurationError} naming the option that cannot be used
   */
  sendExitSignal(name: string, options: { readonly coreDumped?: boolean; readonly message?: string } = {}): void {
    const { coreDumped = false, message = "" } = checkOptions(options, ["coreDumped", "message"]);
    const signal = {
      name: name.replace(/^SIG/, ""),
      coreDumped: checkFlag("coreDumped", coreDumped),
      message: checkText("message", message),
    };
    this.#reportedEnd = { signal: signal.name, coreDumped };
    this.#program.report("an exit signal", (recipient) => encodeExitSignal(recipient, signal));
  }

  /** The stream for error output of the program (RFC 4254 §5.2). */
  override get stderr(): Writable {
    this.#program.begin();
    return super.stderr;
  }

  /** Writes all of `data` as error output, however long. */
  override sendStderr(data: string | Uint8Array): void {
    this.#program.begin();
    super.sendStderr(data);
  }

  /** Tells the client that no more output comes (RFC 4254 §5.3); the program goes on. */
  override sendEof(): void {
    this.#program.begin();
    super.sendEof();
  }

  /** Ends the program: what was written and the exit status go out, then EOF and CLOSE. */
  override close(): void {
    this.#program.beforeClose();
    super.close();
  }

  /**
   * Writes output of the program.
   *
   * @returns `false` when the client's window is full: `drain` says when to go on
   */
  override write(chunk: unknown, callback?: WriteCallback): boolean;
  /** Writes output of the program, a text in an encoding. */
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, ...rest: [(BufferEncoding | WriteCallback)?, WriteCallback?]): boolean {
    this.#program.begin();
    return super.write(chunk, ...(rest as [BufferEncoding, WriteCallback?]));
  }

  /** Ends the program's output, and the program with it: exit status, EOF and CLOSE follow what was written. */
  override end(callback?: () => void): this;
  /** Writes the last output, and ends the program as without it. */
  override end(chunk: unknown, callback?: () => void): this;
  /** Writes the last output, a text in an encoding, and ends the program as without it. */
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(...parameters: [unknown?, unknown?, (() => void)?]): this {
    this.#program.begin();
    const again = this.writableEnded;
    super.end(...(parameters as [unknown, BufferEncoding, (() => void)?]));
    if (again) portOf(this).output.endProgram();
    return this;
  }

  /** What the client has sent: at most `size` bytes, by default all that is there; `null` when nothing is. */
  override read(size?: number): Buffer | string | null {
    // Node.js reads 0 bytes by itself, also where nobody listens.
    if (size !== 0 || this.listenerCount("readable") > 0) this.#program.beginByReading();
    return super.read(size);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#program.abandon();
    super._destroy(error, callback);
  }
}
