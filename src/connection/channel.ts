import { Duplex, Writable } from "node:stream";
import type { Connection } from "../auth/connection.js";
import { EXTENDED_DATA_STDERR, MessageNumber } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import {
  encodeChannelMessage,
  encodeDataHead,
  encodeExtendedDataHead,
  encodeWindowAdjust,
} from "../protocol/messages/channels.js";
import { encodeExitSignal, encodeExitStatus } from "../protocol/messages/exit.js";
import { ChannelSender, type DataLink, type DataType } from "./channel-sender.js";
import { ReceiveWindow } from "./receive-window.js";
import { UnreadBlocks } from "./unread-blocks.js";

/** Unread data shorter than this is packed into blocks, bytes. */
const SMALL_DATA_LENGTH = 1024;

/** Bytes that a channel's writer may have pending before `write` returns false. */
const WRITABLE_HIGH_WATER_MARK = 64 * 1024;

/**
 * The channel was destroyed after the client's EOF, before a reader got all that came before the EOF. Without this error
 * `pipeline` of Node.js would wait for `end` for ever, although the stream is closed.
 */
class CutOffError extends Error {
  /** The code of the error that Node.js makes where a stream is destroyed before its EOF. */
  readonly code = "ERR_STREAM_PREMATURE_CLOSE";

  constructor() {
    super("the channel was closed before all of its input was read");
  }
}

/** A terminal, as `pty-req` and `window-change` describe it (RFC 4254 §6.2 and §6.7). */
export interface PseudoTerminal {
  /** Value of TERM, in the bytes that the client has sent. */
  readonly term: Buffer;
  /** Characters. */
  readonly width: number;
  readonly height: number;
  /** Pixels; 0 where unknown. */
  readonly pixelWidth: number;
  readonly pixelHeight: number;
  /** Mnemonics of RFC 4254 §8 with their values. */
  readonly modes: ReadonlyMap<string, number>;
}

type WriteCallback = (error?: Error) => void;

/** What a channel needs of its connection. */
export interface ChannelLink extends DataLink {
  readonly connection: Connection;
  readonly maxWindowSize: number;
  send(payload: Buffer): void;
  /** Asks whether a window may grow by so many bytes. */
  mayGrowWindow(bytes: number): boolean;
  /** Both sides have closed the channel, or the connection is gone. */
  closed(channel: Channel): void;
  /** An error that nobody listens for. */
  errorIgnored(channel: Channel, error: Error): void;
  /** The channel's user has asked for something that comes too late. */
  misused(channel: Channel, message: string): void;
}

export interface ChannelParameters {
  readonly id: number;
  /** The peer's number of the channel. */
  readonly recipientChannel: number;
  readonly kind: string;
  readonly openFields: Buffer;
  readonly windowSize: number;
  readonly maximumPacketSize: number;
}

/**
 * A channel (RFC 4254 §5) as a stream: reading gives what the client sends and grants it new window as it is consumed,
 * writing waits for the client's window. `end()` sends EOF; the channel stays open until `close()` or `destroy()`.
 *
 * Events beside those of streams:
 * - `signal` (name: string): the client sends a signal; its name comes without SIG (RFC 4254 §6.9)
 * - `break` (length: number): the client asks for a break of so many milliseconds (RFC 4335)
 * - `resize` (pty: PseudoTerminal): the client's terminal has another size
 * - `eow`: the client takes no more output (OpenSSH PROTOCOL §2.1); without a listener the channel is closed
 */
export class Channel extends Duplex {
  /** Our number of the channel, unique in its connection. */
  readonly id: number;
  /** Channel type: `session`, … */
  readonly kind: string;
  /** The fields of the CHANNEL_OPEN message that belong to this type (RFC 4254 §7.2 for `direct-tcpip`). */
  readonly openFields: Buffer;
  /** Variables that the client asked for and the server's hook accepted; values in the bytes that the client has sent. */
  readonly environment: Map<string, Buffer> = new Map();
  /** What the client asked to run, where another command was forced (`forceCommand`); `undefined` for a shell. */
  originalCommand: Buffer | undefined;
  /** The terminal, where one was asked for and accepted. */
  pty: PseudoTerminal | undefined;

  readonly #link: ChannelLink;
  readonly #recipientChannel: number;
  readonly #sender: ChannelSender;
  readonly #output: DataType;
  /** @internal What the client may send. */
  readonly receiveWindow: ReceiveWindow;
  readonly #unread = new UnreadBlocks();
  #stderr: Writable | undefined;
  /** The user holds the stderr stream and will end it. */
  #stderrShared = false;
  #abortController: AbortController | undefined;
  /** What is sent behind all output: `exit-status`, `exit-signal`. */
  #afterOutput: Buffer[] = [];
  /** Bytes, or characters, that the last read asked for and did not find: its reader has to hear when they are there. */
  #wanted: number | undefined;
  #partlyRead = false;
  #closing = false;
  #eofSent = false;
  #closeSent = false;
  #eofReceived = false;
  #closed = false;

  constructor(parameters: ChannelParameters, link: ChannelLink) {
    super({ autoDestroy: false, writableHighWaterMark: WRITABLE_HIGH_WATER_MARK });
    this.id = parameters.id;
    this.kind = parameters.kind;
    this.openFields = parameters.openFields;
    this.#link = link;
    this.#recipientChannel = parameters.recipientChannel;
    this.#output = { head: encodeDataHead(parameters.recipientChannel), stream: this };
    this.#sender = new ChannelSender(link, parameters.windowSize, parameters.maximumPacketSize, () => this.#settle());
    this.receiveWindow = new ReceiveWindow(link.maxWindowSize, (bytes) => link.mayGrowWindow(bytes));
    this.#reportErrors(this);
  }

  /** The connection the channel belongs to. */
  get connection(): Connection {
    return this.#link.connection;
  }

  /** Fires when the channel is closed by the client, or with its connection. */
  get signal(): AbortSignal {
    if (this.#abortController === undefined) {
      this.#abortController = new AbortController();
      if (this.#closed) this.#abortController.abort();
    }
    return this.#abortController.signal;
  }

  /** Where error output goes (RFC 4254 §5.2). Whoever takes this stream must end it before EOF can be sent. */
  get stderr(): Writable {
    this.#stderrShared = true;
    return this.#stderrStream();
  }

  /** Writes all of `data`, however long: what does not fit the client's window is kept in memory. */
  send(data: string | Uint8Array): void {
    this.write(data);
  }

  /** Writes all of `data` as error output, however long. */
  sendStderr(data: string | Uint8Array): void {
    this.#stderrStream().write(data);
  }

  /** Tells the client that no more output comes (RFC 4254 §5.3). What was written before is sent first. */
  sendEof(): void {
    this.end();
    this.#stderr?.end();
  }

  /**
   * Reports the exit status of the program (RFC 4254 §6.10), behind all output that was written so far. After `close()`
   * it is not sent, and the log has a warning.
   *
   * @throws {RangeError} when the status is not an integer from 0 to 2^32 - 1
   */
  sendExitStatus(status: number): void {
    if (!Number.isInteger(status) || status < 0 || status > 0xffffffff) {
      throw new RangeError(`an exit status is an integer from 0 to ${0xffffffff}, not ${status}`);
    }
    this.#sendAfterOutput("an exit status", encodeExitStatus(this.#recipientChannel, status));
  }

  /**
   * Reports that a signal has ended the program (RFC 4254 §6.10), behind all output that was written so far. After
   * `close()` it is not sent, and the log has a warning.
   *
   * @param name with or without SIG in front: `TERM`, `SIGKILL`, …
   */
  sendExitSignal(name: string, options: { readonly coreDumped?: boolean; readonly message?: string } = {}): void {
    const signal = { name: name.replace(/^SIG/, ""), coreDumped: false, message: "", ...options };
    this.#sendAfterOutput("an exit signal", encodeExitSignal(this.#recipientChannel, signal));
  }

  /** Closes the channel once all output, the exit status and EOF have been sent. */
  close(): void {
    this.#closing = true;
    this.sendEof();
    this.#settle();
  }

  override read(size?: number): Buffer | string | null {
    if (size !== undefined && size > this.readableLength) this.#flushUnreadFor(size);
    const data = super.read(size);
    // Node.js reads 0 bytes by itself, to keep the stream going.
    if (size !== 0) this.#wanted = data === null ? (size ?? 1) : undefined;
    if (data !== null) this.#partlyRead = true;
    // Readers hear only of what lies in the stream's own buffer.
    if (this.readableLength === 0) this.#flushUnread();
    this.#grantWindow();
    return data;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#mayWrite(callback)) this.#sender.write(this.#output, [chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: WriteCallback): void {
    if (this.#mayWrite(callback)) this.#sender.write(this.#output, chunks.map(bytesOf), callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.#settle();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#sendClose();
    this.#stderr?.destroy();
    callback(error ?? (this.#eofReceived && this.#hasReader ? new CutOffError() : null));
    // After `close`, which is what tells the other ends of pipelines.
    setImmediate(() => this.#sender.failAbandoned(new Error("the channel is closed")));
  }

  /** @internal SSH_MSG_CHANNEL_DATA */
  receiveData(data: Buffer): void {
    this.#receive(data);
    if (this.#closeSent || this.destroyed) return;
    const behind = this.readableLength > 0 || this.#unread.length > 0;
    const wasteful = data.length < SMALL_DATA_LENGTH || data.length * 2 < data.buffer.byteLength;
    if (behind && wasteful) {
      this.#unread.append(data, this.#push);
      if (this.#wanted !== undefined) this.#flushUnreadFor(this.#wanted);
    } else {
      this.#flushUnread();
      this.push(data);
    }
    this.#grantWindow();
  }

  /** @internal SSH_MSG_CHANNEL_EXTENDED_DATA: no client has a use for it, so it is dropped. */
  receiveExtendedData(data: Buffer): void {
    this.#receive(data);
    if (!this.#closeSent) this.#grantWindow();
  }

  /** @internal SSH_MSG_CHANNEL_EOF */
  receiveEof(): void {
    this.#endReadable();
  }

  /** @internal Whether the client has said that nothing more comes from it. */
  get eofReceived(): boolean {
    return this.#eofReceived;
  }

  /** @internal SSH_MSG_CHANNEL_CLOSE */
  receiveClose(): void {
    this.#sender.abandon();
    this.#sendClose();
    this.#end();
    // What the client has sent before it closed can still be read. Nobody waits for a writer that will not get on.
    if (this.#hasReader && !this.#outputWaits) {
      if (!this.#eofReceived) this.#endReadable();
      this.once("end", () => this.destroy());
    } else {
      this.destroy();
    }
  }

  /** @internal SSH_MSG_CHANNEL_WINDOW_ADJUST */
  adjustWindow(bytes: number): void {
    this.#sender.adjustWindow(bytes);
  }

  /** @internal Whether our CLOSE was sent: nothing the client asks for can have an effect any more. */
  get closeSent(): boolean {
    return this.#closeSent;
  }

  /** @internal Keeps output back while the reply to a request is due. */
  holdOutput(): () => void {
    return this.#sender.hold();
  }

  /** @internal Answers a channel request. */
  reply(success: "success" | "failure"): void {
    if (this.#closeSent) return;
    const number = success === "success" ? MessageNumber.CHANNEL_SUCCESS : MessageNumber.CHANNEL_FAILURE;
    this.#link.send(encodeChannelMessage(number, this.#recipientChannel));
  }

  /** @internal The connection is gone. */
  connectionClosed(): void {
    this.#closeSent = true;
    this.#sender.abandon();
    this.#end();
    this.destroy();
  }

  #stderrStream(): Writable {
    if (this.#stderr !== undefined) return this.#stderr;
    const stream = new Writable({
      autoDestroy: false,
      highWaterMark: WRITABLE_HIGH_WATER_MARK,
      write: (chunk: Buffer, _encoding, callback) => {
        if (this.#mayWrite(callback)) this.#sender.write(errorOutput, [chunk], callback);
      },
      writev: (chunks, callback) => {
        if (this.#mayWrite(callback)) this.#sender.write(errorOutput, chunks.map(bytesOf), callback);
      },
      final: (callback) => {
        callback();
        this.#settle();
      },
      destroy: (error, callback) => {
        callback(error);
        this.#settle();
      },
    });
    const errorOutput = { head: encodeExtendedDataHead(this.#recipientChannel, EXTENDED_DATA_STDERR), stream };
    this.#stderr = stream;
    this.#reportErrors(stream);
    return stream;
  }

  #reportErrors(stream: Writable): void {
    stream.on("error", (error) => {
      if (stream.listenerCount("error") === 1 && !(error instanceof CutOffError)) this.#link.errorIgnored(this, error);
    });
  }

  /** Whether output can still be sent; if not, its writer is told. */
  #mayWrite(callback: WriteCallback): boolean {
    if (!this.#eofSent && !this.#closeSent) return true;
    // Like a program that writes into a broken pipe.
    if (this.#closeSent) this.destroy();
    callback(new Error("the channel takes no more output"));
    return false;
  }

  /** Whether a reader has not come to the end: it listens, or it has called `read` and has not got all. */
  get #hasReader(): boolean {
    if (this.readableFlowing !== null) return !this.readableEnded;
    return this.#partlyRead && this.readableLength + this.#unread.length > 0;
  }

  /** Whether something was written that has not gone out. */
  get #outputWaits(): boolean {
    const stderr = this.#stderr;
    const stderrWaits = stderr !== undefined && !stderr.destroyed && stderr.writableLength > 0;
    return stderrWaits || this.writableLength > 0;
  }

  /** Whether somebody may still write to stderr. */
  get #stderrOpen(): boolean {
    const stderr = this.#stderr;
    return this.#stderrShared && stderr !== undefined && !stderr.destroyed && !stderr.writableEnded;
  }

  #sendAfterOutput(what: string, payload: Buffer): void {
    if (this.#closing) {
      this.#link.misused(this, `${what} after close() is not sent`);
      return;
    }
    this.#afterOutput.push(payload);
    this.#settle();
  }

  /** Sends what has to follow all output, as far as it is due. */
  #settle(): void {
    if (this.#closeSent || this.#outputWaits || !this.#sender.idle) return;
    for (const payload of this.#afterOutput.splice(0)) this.#link.send(payload);
    if (!this.writableEnded || this.#stderrOpen) return;
    if (!this.#eofSent) {
      this.#eofSent = true;
      this.#link.send(encodeChannelMessage(MessageNumber.CHANNEL_EOF, this.#recipientChannel));
    }
    if (this.#closing) this.#sendClose();
  }

  #sendClose(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#sender.abandon();
    this.#link.send(encodeChannelMessage(MessageNumber.CHANNEL_CLOSE, this.#recipientChannel));
  }

  #receive(data: Buffer): void {
    if (this.#eofReceived) throw new ProtocolError("data on a channel after its EOF");
    this.receiveWindow.receive(data.length);
  }

  #endReadable(): void {
    this.#eofReceived = true;
    this.#flushUnread();
    this.push(null);
  }

  readonly #push = (data: Buffer): void => {
    this.push(data);
  };

  /** Hands over what is unread if that makes `size`, which counts characters where there is an encoding. */
  #flushUnreadFor(size: number): void {
    if (this.readableEncoding === null && this.readableLength + this.#unread.length < size) return;
    this.#wanted = undefined;
    this.#flushUnread();
  }

  #flushUnread(): void {
    if (this.#unread.length > 0) this.#unread.flush(this.#push);
  }

  #grantWindow(): void {
    if (this.#closeSent || this.#eofReceived) return;
    const credit = this.receiveWindow.credit(this.readableLength + this.#unread.length);
    if (credit > 0) this.#link.send(encodeWindowAdjust(this.#recipientChannel, credit));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#abortController?.abort();
    this.#link.closed(this);
  }
}

const bytesOf = ({ chunk }: { chunk: Buffer }): Buffer => chunk;
