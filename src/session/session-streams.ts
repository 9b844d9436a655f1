import type { Readable, Writable } from "node:stream";
import { onDropped } from "./client-output.js";
import type { SessionChannel } from "./session-channel.js";
import type { SessionEndedError } from "./session-ended-error.js";
import { SessionInput } from "./session-input.js";
import { drained, flushed, SessionOutput } from "./session-output.js";
import type { SessionTerminal } from "./terminal/session-terminal.js";
import { createTerminal } from "./terminal/session-terminal.js";

/** The streams of a session: of its terminal where it has one, else of its channel. Each is made when it is asked for. */
export class SessionStreams {
  readonly #channel: SessionChannel;
  readonly #endReason: () => SessionEndedError;
  readonly #signal: (name: string) => void;
  readonly #tellDropped: (bytes: number) => void;
  #terminal: SessionTerminal | undefined;
  #input: SessionInput | undefined;
  #output: SessionOutput | undefined;
  #errorOutput: SessionOutput | undefined;
  #finished = false;
  /** Bytes that came when nothing more was written; `undefined` once the log has them. */
  #dropped: number | undefined = 0;
  #gone: SessionEndedError | undefined;

  /**
   * @param endReason makes the error of streams whose client is gone
   * @param signal gets the signals that are typed on the terminal: `INT`, …
   * @param tellDropped is told once of output that came behind the end of the session
   */
  constructor(
    channel: SessionChannel,
    endReason: () => SessionEndedError,
    signal: (name: string) => void,
    tellDropped: (bytes: number) => void,
  ) {
    this.#channel = channel;
    this.#endReason = endReason;
    this.#signal = signal;
    this.#tellDropped = tellDropped;
  }

  get terminal(): SessionTerminal | undefined {
    if (this.#terminal === undefined && this.#channel.pty !== undefined) {
      this.#terminal = createTerminal(this.#channel, { signal: this.#signal });
      this.#created(this.#terminal.output);
    }
    return this.#terminal;
  }

  get stdin(): Readable {
    if (this.terminal !== undefined) return this.terminal.input;
    this.#input ??= new SessionInput(this.#channel, this.#endReason);
    return this.#input;
  }

  get stdout(): Writable {
    if (this.terminal !== undefined) return this.terminal.output;
    this.#output ??= this.#created(new SessionOutput(this.#channel));
    return this.#output;
  }

  get stderr(): Writable {
    if (this.terminal !== undefined) return this.terminal.output;
    this.#errorOutput ??= this.#created(new SessionOutput(this.#channel.stderr));
    return this.#errorOutput;
  }

  /**
   * Leaves the channel to another program, behind all output that was written so far.
   *
   * @returns takes it back
   */
  async lend(): Promise<() => void> {
    await Promise.all(this.#outputs.map(flushed));
    const takeBack = [this.#terminal?.lend(), this.#input?.lend()];
    return () => {
      for (const take of takeBack) take?.();
    };
  }

  /** Nothing more is written: resolves when all that was has gone into the channel. The terminal is as it was before. */
  async finish(): Promise<void> {
    this.#finished = true;
    this.#terminal?.restore();
    await Promise.all(this.#outputs.map(drained));
  }

  /** The client is gone: a handler that writes, or waits for room, gets the error. Input that is complete can still be read. */
  destroy(error: SessionEndedError): void {
    this.#gone = error;
    // A handler whose client has gone before its end has nothing to be told.
    if (!this.#finished) this.#dropped = undefined;
    for (const output of this.#outputs) output.destroy(error);
  }

  /** Nobody reads any more. */
  release(): void {
    this.#terminal?.input.destroy();
    this.#input?.destroy();
  }

  /** A stream that comes too late for what has happened meanwhile. */
  #created<Output extends Writable>(output: Output): Output {
    onDropped(output, (bytes) => this.#drop(bytes));
    if (this.#gone !== undefined) output.destroy(this.#gone);
    else if (this.#finished) output.end();
    return output;
  }

  #drop(bytes: number): void {
    if (!this.#finished || this.#dropped === undefined || bytes === 0) return;
    if (this.#dropped === 0) {
      setImmediate(() => {
        if (this.#dropped !== undefined) this.#tellDropped(this.#dropped);
        this.#dropped = undefined;
      });
    }
    this.#dropped += bytes;
  }

  get #outputs(): readonly Writable[] {
    return [this.#terminal?.output, this.#output, this.#errorOutput].filter((output) => output !== undefined);
  }
}
