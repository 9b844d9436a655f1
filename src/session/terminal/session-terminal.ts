import { HookError } from "../../base/hook-error.js";
import type { PseudoTerminal, SessionChannel } from "../session-channel.js";
import { LineDiscipline } from "./line-discipline.js";
import { terminalType } from "./terminal-environment.js";
import { type TerminalInput, TerminalInputStream } from "./terminal-input.js";
import { type TerminalOutput, TerminalOutputStream } from "./terminal-output.js";
import { readTerminalModes } from "./terminal-settings.js";

/** Bytes of echo that may wait for a client that does not read. */
const MAX_WAITING_ECHO = 64 * 1024;

/** The terminal of a client, for a program that runs in the server's own process. */
export interface SessionTerminal {
  /** What the user types, as the terminal of a program. */
  readonly input: TerminalInput;
  /** What the user sees, as the terminal of a program. */
  readonly output: TerminalOutput;
  /** The type of the terminal, for the terminfo database; `dumb` where the client has sent what is not the name of one. */
  readonly term: string;
  /** Characters, from 1 to 10,000; 80 by 24 where the client does not know. */
  readonly columns: number;
  /** Lines, within the same bounds. */
  readonly rows: number;
  /** Undoes what was left on the screen: shows the cursor, leaves the alternate screen, ends mouse and paste modes, colours. */
  restore(): void;
  /**
   * Hands the client's terminal to another program, such as one on a pseudo-terminal: the screen is restored, and keys are no
   * longer read here.
   *
   * @returns takes the terminal back
   */
  lend(): () => void;
}

export interface TerminalOptions {
  /** Gets the signals that are typed while the terminal is not in raw mode: `INT`, `QUIT`, `TSTP`. */
  readonly signal: (name: string) => void;
}

/**
 * Makes the terminal of a session, whose client has asked for one. From now on the channel is read: as far ahead as a terminal
 * would, so that ^C is heard although no program reads.
 *
 * @throws {Error} when the client has not asked for a terminal
 */
export function createTerminal(channel: SessionChannel, options: TerminalOptions): SessionTerminal {
  if (channel.pty === undefined) throw new Error("the client has not asked for a terminal");
  return new ChannelTerminal(channel, channel.pty, options);
}

class ChannelTerminal implements SessionTerminal {
  readonly term: string;
  readonly #channel: SessionChannel;
  readonly #input: TerminalInputStream;
  readonly #output: TerminalOutputStream;
  readonly #discipline: LineDiscipline;
  #inputHasRoom = true;
  #waitingEcho = 0;
  #reads = false;
  /** The person has typed that nothing more comes; what follows is looked at for signals only. */
  #inputEnded = false;
  #announced: string;
  #announcement: NodeJS.Immediate | undefined;

  constructor(channel: SessionChannel, pty: PseudoTerminal, { signal }: TerminalOptions) {
    this.#channel = channel;
    this.term = terminalType(pty.term);
    this.#discipline = new LineDiscipline(readTerminalModes(pty.modes), {
      read: (bytes) => this.#read(bytes),
      end: () => this.#endInput(),
      echo: (bytes) => this.#echo(bytes),
      signal,
    });
    this.#input = new TerminalInputStream({
      resume: () => this.#makeRoom(),
      setMode: (mode) => this.#discipline.setMode(mode),
      // Behind the end of the input, signals are still heard.
      release: () => {
        if (!this.#inputEnded) this.#stopReading();
      },
    });
    this.#output = new TerminalOutputStream(channel, () => this.#discipline.settings.newlineToReturnNewline);
    this.#announced = this.#size;
    channel.on("resize", this.#resized).once("close", this.#closed);
    if (channel.destroyed) this.#closed();
    else this.#startReading();
  }

  get input(): TerminalInput {
    return this.#input as unknown as TerminalInput;
  }

  get output(): TerminalOutput {
    return this.#output as unknown as TerminalOutput;
  }

  get columns(): number {
    return this.#output.columns;
  }

  get rows(): number {
    return this.#output.rows;
  }

  restore(): void {
    this.#output.restore();
  }

  lend(): () => void {
    this.#output.restore();
    this.#output.handOver();
    this.#stopReading();
    return () => this.#startReading();
  }

  #startReading(): void {
    const released = this.#input.destroyed && !this.#inputEnded;
    if (this.#reads || released || this.#channel.destroyed) return;
    this.#reads = true;
    this.#channel.on("data", this.#receive).on("end", this.#ended);
    this.#flow();
  }

  #stopReading(): void {
    if (!this.#reads) return;
    this.#reads = false;
    this.#channel.off("data", this.#receive).off("end", this.#ended).pause();
  }

  /** The channel is read as long as there is room for what comes, and for its echo. */
  #flow(): void {
    if (!this.#reads) return;
    if (this.#inputHasRoom && this.#waitingEcho <= MAX_WAITING_ECHO) this.#channel.resume();
    else this.#channel.pause();
  }

  readonly #receive = (bytes: Buffer): void => {
    this.#discipline.receive(bytes);
    this.#flow();
  };

  readonly #ended = (): void => {
    this.#discipline.finish();
    this.#endInput();
  };

  readonly #closed = (): void => {
    clearImmediate(this.#announcement);
    this.#channel.off("resize", this.#resized);
    this.#ended();
    this.#output.destroy();
  };

  #read(bytes: Buffer): void {
    if (!this.#inputEnded) this.#inputHasRoom = this.#input.push(bytes);
  }

  #endInput(): void {
    if (this.#inputEnded || this.#input.destroyed) return;
    this.#inputEnded = true;
    this.#inputHasRoom = true;
    this.#input.push(null);
  }

  #makeRoom(): void {
    this.#inputHasRoom = true;
    this.#flow();
  }

  #echo(bytes: Buffer): void {
    if (!this.#output.writable) return;
    this.#waitingEcho += bytes.length;
    this.#output.write(bytes, () => {
      this.#waitingEcho -= bytes.length;
      this.#flow();
    });
  }

  get #size(): string {
    return this.#output.getWindowSize().join();
  }

  /** However often a window changes within one turn of the event loop, the program hears of it once. */
  readonly #resized = (): void => {
    this.#announcement ??= setImmediate(() => {
      this.#announcement = undefined;
      if (this.#size === this.#announced) return;
      this.#announced = this.#size;
      this.#emitResize();
    });
  };

  /** Nothing that a program throws here may reach other sessions. */
  #emitResize(): void {
    try {
      this.#output.emit("resize");
    } catch (error) {
      this.#channel.emit("error", new HookError("listener of resize", error));
    }
  }
}
