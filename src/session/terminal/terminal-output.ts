import { clearLine, clearScreenDown, cursorTo, type Direction, moveCursor } from "node:readline";
import { WriteStream } from "node:tty";
import { ClientOutput } from "../client-output.js";
import type { SessionChannel } from "../session-channel.js";
import { NewlineTranslation } from "./newline-translation.js";
import { ScreenState } from "./screen-state.js";
import { terminalEnvironment } from "./terminal-environment.js";
import { type TerminalSize, terminalSize } from "./terminal-size.js";

/**
 * The screen of the client's terminal: a `Writable` with the members of `tty.WriteStream`, and the event `resize`. It has the
 * type of the process's own terminal, so that programs take it in its place; what belongs to sockets alone is not there.
 */
export type TerminalOutput = WriteStream;

const { getColorDepth } = WriteStream.prototype;
type Environment = Readonly<Record<string, string | undefined>>;
type WriteCallback = (error?: Error | null) => void;

/** The screen of a client's terminal, as `tty.WriteStream` gives the process's own. */
export class TerminalOutputStream extends ClientOutput {
  readonly isTTY = true;
  readonly #channel: SessionChannel;
  readonly #newlines = new NewlineTranslation();
  readonly #screen = new ScreenState();
  readonly #translatesNewlines: () => boolean;
  /** Goes on with the write that the channel has no room for. */
  #goOn: (() => void) | undefined;
  #handingOver = false;

  constructor(channel: SessionChannel, translatesNewlines: () => boolean) {
    super();
    this.#channel = channel;
    this.#translatesNewlines = translatesNewlines;
  }

  /** Characters, from 1 to 10,000. */
  get columns(): number {
    return this.#size.columns;
  }

  get rows(): number {
    return this.#size.rows;
  }

  getWindowSize(): [columns: number, rows: number] {
    const { columns, rows } = this.#size;
    return [columns, rows];
  }

  /** Bits of colour (1, 4, 8 or 24), by the client's TERM and the variables of its session, as Node.js reckons them. */
  getColorDepth(environment: Environment = terminalEnvironment(this.#channel)): number {
    return getColorDepth.call(this as unknown as WriteStream, environment);
  }

  /** @param count 16 where none is given */
  hasColors(count: number | Environment = 16, environment?: Environment): boolean {
    const [needed, variables] = typeof count === "number" ? [count, environment] : [16, count];
    return needed <= 2 ** this.getColorDepth(variables);
  }

  clearLine(direction: Direction, callback?: () => void): boolean {
    return clearLine(this, direction, callback);
  }

  clearScreenDown(callback?: () => void): boolean {
    return clearScreenDown(this, callback);
  }

  cursorTo(x: number, y?: number | (() => void), callback?: () => void): boolean {
    return typeof y === "function" ? cursorTo(this, x, undefined, y) : cursorTo(this, x, y, callback);
  }

  moveCursor(dx: number, dy: number, callback?: () => void): boolean {
    return moveCursor(this, dx, dy, callback);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Undoes what a program has left of its own on the screen. */
  restore(): void {
    const undo = this.#screen.undo();
    if (undo !== "" && this.writable) this.write(undo);
  }

  /** All that was written goes into the channel at once, also where that has no room for it. */
  handOver(): void {
    while (this.writableCorked > 0) this.uncork();
    this.#handingOver = true;
    this.#goOn?.();
    this.#handingOver = false;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: WriteCallback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  /** Behind the last write: `end()` leaves nothing on the screen either. */
  override _final(callback: WriteCallback): void {
    const undo = this.#screen.undo();
    if (undo === "") callback();
    else this.#send([Buffer.from(undo)], callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#goOn = undefined;
    callback(error);
  }

  get #size(): TerminalSize {
    return terminalSize(this.#channel.pty ?? { width: 0, height: 0 });
  }

  #send(chunks: readonly Buffer[], callback: WriteCallback): void {
    const channel = this.#channel;
    if (!channel.writable) {
      callback(new Error("the client's terminal takes no more output"));
      return;
    }
    let calledBack = false;
    const done = (error?: Error | null) => {
      if (calledBack) return;
      calledBack = true;
      this.#goOn = undefined;
      callback(error);
    };
    let hasRoom = true;
    channel.cork();
    for (const [index, chunk] of chunks.entries()) {
      const isLast = index === chunks.length - 1;
      hasRoom = channel.write(this.#process(chunk), isLast ? done : undefined);
    }
    channel.uncork();
    if (hasRoom || this.#handingOver) done();
    else if (!calledBack) this.#goOn = done;
  }

  #process(chunk: Buffer): Buffer {
    this.#screen.write(chunk);
    return this.#translatesNewlines() ? this.#newlines.translate(chunk) : chunk;
  }
}
