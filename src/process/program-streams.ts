import type { Readable, Writable } from "node:stream";
import type { SessionChannel } from "../session/session-channel.js";
import { passOutput } from "./program-output.js";

export interface ProgramPipes {
  readonly input: Writable | null;
  readonly output: Readable | null;
  readonly errorOutput: Readable | null;
}

/** The streams of a program, connected with those of a channel. Their errors are ends: the program's exit tells the rest. */
export class ProgramStreams {
  readonly #channel: SessionChannel;
  readonly #input: Writable | null;
  readonly #outputs: readonly Readable[];
  readonly #outputsEnded: () => void;
  #open: number;
  #destroyed = false;

  /** @param outputsEnded called when nothing more comes of the program's output */
  constructor(channel: SessionChannel, { input, output, errorOutput }: ProgramPipes, outputsEnded: () => void) {
    this.#channel = channel;
    this.#input = input;
    this.#outputs = [output, errorOutput].filter((stream) => stream !== null);
    this.#open = this.#outputs.length;
    this.#outputsEnded = outputsEnded;
    for (const stream of this.#outputs) this.#follow(stream);
    if (output !== null) passOutput(output, channel);
    errorOutput?.pipe(channel.stderr, { end: false });
    if (input === null) channel.resume();
    else this.#connectInput(input);
  }

  get outputEnded(): boolean {
    return this.#open === 0;
  }

  /** Bytes of output that were read so far. */
  get bytesRead(): number {
    return this.#outputs.reduce((sum, stream) => sum + bytesReadOf(stream), 0);
  }

  /** Whether output waits for the client. */
  get isBlocked(): boolean {
    return this.#outputs.some((stream) => stream.isPaused() && !stream.destroyed);
  }

  /** The client takes no more output: the program shall hear of it when it writes. */
  dropOutput(): void {
    for (const stream of this.#outputs) stream.unpipe().destroy();
  }

  /** Ends all that is left; what the client sends from now on stays in the channel. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (this.#input !== null) this.#channel.unpipe(this.#input);
    this.#channel.pause();
    this.#input?.destroy();
    this.dropOutput();
  }

  #follow(stream: Readable): void {
    stream.on("error", ignore);
    const ended = () => {
      this.#open--;
      if (this.#open === 0) this.#outputsEnded();
    };
    if (stream.closed) queueMicrotask(ended);
    else stream.once("close", ended);
  }

  #connectInput(input: Writable): void {
    input.on("error", ignore);
    this.#channel.pipe(input);
    // A program may close its input early. The bytes that still come are thrown away, so that the client can finish sending.
    input.once("close", () => {
      if (this.#destroyed) return;
      this.#channel.unpipe(input);
      this.#channel.resume();
    });
  }
}

function bytesReadOf(stream: Readable): number {
  return "bytesRead" in stream && typeof stream.bytesRead === "number" ? stream.bytesRead : 0;
}

function ignore(): void {}
