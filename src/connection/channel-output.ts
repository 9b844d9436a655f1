import { type Duplex, Writable } from "node:stream";
import { SpareBlocks } from "../base/spare-blocks.js";
import { EXTENDED_DATA_STDERR, MessageNumber } from "../protocol/constants.js";
import {
  encodeChannelMessage,
  encodeDataHead,
  encodeExtendedDataHead,
  encodeWindowAdjust,
} from "../protocol/messages/channels.js";
import { encodeChannelRequest } from "../protocol/messages/requests.js";
import { ChannelSender, type DataLink, type DataType } from "./channel-sender.js";

/** Bytes that a channel's writer may have pending before `write` returns false. */
export const WRITABLE_HIGH_WATER_MARK = 64 * 1024;

/** What was lent and has to wait. */
const blocks = new SpareBlocks(WRITABLE_HIGH_WATER_MARK, 64);

type WriteCallback = (error?: Error) => void;

export interface OutputLink extends DataLink {
  send(payload: Buffer): void;
}

/** The program whose output it is. */
export interface OutputProgram {
  /** Something is being written. */
  written(): void;
  /** All output has gone out, and its streams have ended. Called again whenever something else has happened. */
  outputEnded(): void;
}

/** The messages sent on a channel, in order: output and error output, messages behind both, EOF, CLOSE. */
export class ChannelOutput {
  /** The peer's number of the channel. */
  readonly recipientChannel: number;
  readonly #stream: Duplex;
  readonly #link: OutputLink;
  readonly #sender: ChannelSender;
  readonly #output: DataType;
  readonly #stderrOpened: (stderr: Writable) => void;
  #stderr: Writable | undefined;
  /** Streams that are piped into stderr. */
  #stderrSources = 0;
  /** Messages that are sent behind all output: `exit-status`, `exit-signal`. */
  #afterOutput: Buffer[] = [];
  #program: OutputProgram | undefined;
  #closing = false;
  /** EOF is to be sent whether or not a program goes on. */
  #eofAlone = false;
  #eofSent = false;
  #closeSent = false;

  /** @param stream of the channel, whose writable half is the output */
  constructor(
    stream: Duplex,
    peer: { readonly recipientChannel: number; readonly windowSize: number; readonly maximumPacketSize: number },
    link: OutputLink,
    stderrOpened: (stderr: Writable) => void,
  ) {
    this.recipientChannel = peer.recipientChannel;
    this.#stream = stream;
    this.#link = link;
    this.#stderrOpened = stderrOpened;
    this.#output = { head: encodeDataHead(peer.recipientChannel), stream };
    this.#sender = new ChannelSender(link, peer.windowSize, peer.maximumPacketSize, () => this.settle());
  }

  /** Bytes of output and error output that were sent. */
  get bytesSent(): number {
    return this.#sender.bytesSent;
  }

  /** Whether `close` was called: nothing more is taken. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Whether our CLOSE was sent: nothing the peer asks for can have an effect any more. */
  get closeSent(): boolean {
    return this.#closeSent;
  }

  /** Whether something was written that has not gone out. */
  get waits(): boolean {
    const stderr = this.#stderr;
    const stderrWaits = stderr !== undefined && !stderr.destroyed && stderr.writableLength > 0;
    return stderrWaits || this.#stream.writableLength > 0;
  }

  /** The stream of error output. EOF waits for what is written to it, and for the streams that are piped into it. */
  get stderr(): Writable {
    if (this.#stderr !== undefined) return this.#stderr;
    const stream = new Writable({
      autoDestroy: false,
      highWaterMark: WRITABLE_HIGH_WATER_MARK,
      write: (chunk: Buffer, _encoding, callback) => {
        this.#program?.written();
        if (this.#mayWrite(callback)) this.#sender.write(errorOutput, [chunk], callback);
      },
      writev: (chunks, callback) => {
        this.#program?.written();
        if (this.#mayWrite(callback)) this.#sender.write(errorOutput, chunks.map(bytesOf), callback);
      },
      final: (callback) => {
        callback();
        this.settle();
      },
      destroy: (error, callback) => {
        callback(error);
        this.settle();
      },
    });
    const errorOutput = { head: encodeExtendedDataHead(this.recipientChannel, EXTENDED_DATA_STDERR), stream };
    stream.on("pipe", () => this.#stderrSources++);
    stream.on("unpipe", () => {
      this.#stderrSources--;
      this.settle();
    });
    this.#stderr = stream;
    this.#stderrOpened(stream);
    return stream;
  }

  write(chunk: Buffer, callback: WriteCallback): void {
    if (this.#mayWrite(callback)) this.#sender.write(this.#output, [chunk], callback);
  }

  writeChunks(chunks: readonly { readonly chunk: Buffer }[], callback: WriteCallback): void {
    if (this.#mayWrite(callback)) this.#sender.write(this.#output, chunks.map(bytesOf), callback);
  }

  /**
   * Writes to the stream what cannot be sent at once.
   *
   * @param bytes that may be overwritten as soon as this returns
   * @returns whether the stream takes more, as its `write` says
   */
  writeLent(bytes: Uint8Array): boolean {
    let takesMore = true;
    for (let start = this.sendNow(bytes); start < bytes.length; start += blocks.length) {
      const block = blocks.take();
      const part = bytes.subarray(start, start + blocks.length);
      block.set(part);
      takesMore = this.#stream.write(block.subarray(0, part.length), () => blocks.giveBack(block));
    }
    return takesMore;
  }

  /**
   * @param bytes that may be overwritten as soon as this returns
   * @returns how many were sent: none where something waits, or no output can come any more
   */
  sendNow(bytes: Uint8Array): number {
    const { destroyed, writableEnded } = this.#stream;
    return destroyed || writableEnded || this.#closeSent ? 0 : this.#sender.sendNow(this.#output, bytes);
  }

  /** Sends a message behind all output that was written so far; not after `close`. */
  sendAfterOutput(payload: Buffer): void {
    this.#afterOutput.push(payload);
    this.settle();
  }

  /** From now on the end of the output is the end of a program, which has to close the channel. */
  follow(program: OutputProgram): void {
    this.#program = program;
  }

  /** EOF follows all that was written, and a program goes on. */
  end(): void {
    if (!this.#stream.writableEnded) this.#eofAlone = true;
    this.#end();
  }

  /** The program, whose EOF may have been sent before, has ended. */
  endProgram(): void {
    this.#eofAlone = false;
    this.settle();
  }

  /** CLOSE follows all that was written. */
  close(): void {
    this.#closing = true;
    this.#end();
  }

  #end(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
    this.#stderr?.end();
    this.settle();
  }

  /** Sends what has to follow all output, as far as it is due. */
  settle(): void {
    if (this.#closeSent || this.waits || !this.#sender.idle || this.#stderrInUse) return;
    for (const payload of this.#afterOutput.splice(0)) this.#link.send(payload);
    if (!this.#stream.writableEnded) return;
    if (this.#program !== undefined && !this.#closing && !this.#eofAlone) {
      this.#program.outputEnded();
      return;
    }
    if (!this.#eofSent) {
      this.#eofSent = true;
      this.#link.send(encodeChannelMessage(MessageNumber.CHANNEL_EOF, this.recipientChannel));
    }
    if (this.#closing) this.sendClose();
  }

  /** Sends CLOSE now; what waits is dropped. */
  sendClose(): void {
    if (this.#closeSent) return;
    this.drop();
    this.#link.send(encodeChannelMessage(MessageNumber.CHANNEL_CLOSE, this.recipientChannel));
  }

  /** Nothing can be sent any more. */
  drop(): void {
    this.#closeSent = true;
    this.#sender.abandon();
  }

  /** The channel's stream is destroyed. */
  destroy(): void {
    this.#stderr?.destroy();
    // After `close`, which is what tells the other ends of pipelines.
    setImmediate(() => this.#sender.failAbandoned(() => new Error("the channel is closed")));
  }

  /** SSH_MSG_CHANNEL_WINDOW_ADJUST */
  adjustWindow(bytes: number): void {
    this.#sender.adjustWindow(bytes);
  }

  /** Keeps output back while the reply to a request is due, until the returned function is called. */
  hold(): () => void {
    return this.#sender.hold();
  }

  /** Lets the peer send so many bytes more (RFC 4254 §5.2). */
  grantWindow(bytes: number): void {
    this.#link.send(encodeWindowAdjust(this.recipientChannel, bytes));
  }

  /** Asks something of the peer (RFC 4254 §5.4). */
  sendRequest(kind: string, reply: "wanted" | "unwanted", fields: Uint8Array): void {
    this.#link.send(encodeChannelRequest(this.recipientChannel, kind, reply, fields));
  }

  /** Answers a channel request. */
  reply(success: "success" | "failure"): void {
    if (this.#closeSent) return;
    const number = success === "success" ? MessageNumber.CHANNEL_SUCCESS : MessageNumber.CHANNEL_FAILURE;
    this.#link.send(encodeChannelMessage(number, this.recipientChannel));
  }

  /** Whether output can still be sent; if not, its writer is told. */
  #mayWrite(callback: WriteCallback): boolean {
    if (!this.#eofSent && !this.#closeSent) return true;
    // Like a program that writes into a broken pipe.
    if (this.#closeSent) this.#stream.destroy();
    callback(new Error("the channel takes no more output"));
    return false;
  }

  get #stderrInUse(): boolean {
    const stderr = this.#stderr;
    return this.#stderrSources > 0 && stderr !== undefined && !stderr.destroyed && !stderr.writableEnded;
  }
}

const bytesOf = ({ chunk }: { readonly chunk: Buffer }): Buffer => chunk;
