import { Duplex, type Writable } from "node:stream";
import { OF_ANOTHER_COPY } from "../base/another-copy.js";
import { SEND_NOW, TAKE_LENT_DATA } from "../base/lending-stream.js";
import { ChannelInput } from "./channel-input.js";
import { ChannelOutput, type OutputLink, WRITABLE_HIGH_WATER_MARK } from "./channel-output.js";
import {
  checkRequest,
  checkRequestOptions,
  checkRoom,
  NO_FIELDS,
  type RequestLink,
  type RequestOptions,
} from "./outgoing-request.js";
import { mayBeIgnored } from "./pending-answer.js";
import { PendingReplies } from "./pending-replies.js";
import { ReceiveWindow } from "./receive-window.js";

/**
 * The channel was destroyed before a reader got all that came before the peer's EOF, or while a writer waits for room. Without
 * this error `pipeline` of Node.js would wait for `end` for ever, and `once(channel, "drain")` for a drain.
 */
class CutOffError extends Error {
  /** The code of the error that Node.js makes where a stream is destroyed before its EOF. */
  readonly code = "ERR_STREAM_PREMATURE_CLOSE";
}

/** The part of its connection that a channel needs. */
export interface ChannelLink extends OutputLink, RequestLink {
  readonly maxWindowSize: number;
  /** Asks whether a window may grow by so many bytes. */
  mayGrowWindow(bytes: number): boolean;
  /** Both sides have closed the channel, or the connection is gone. */
  closed(channelId: number): void;
  /** An error that nobody listens for. */
  errorIgnored(channelId: number, error: Error): void;
  /** Something that the log has to tell about a channel: its user has asked for what comes too late, for example. */
  warned(channelId: number, message: string, fields?: object): void;
}

export interface ChannelParameters {
  readonly id: number;
  /** The peer's number of the channel. */
  readonly recipientChannel: number;
  readonly kind: string;
  readonly openFields: Buffer;
  readonly windowSize: number;
  readonly maximumPacketSize: number;
  readonly openedBy: "us" | "peer";
}

/** The part of a channel that only the library uses. */
export interface ChannelPort {
  readonly input: ChannelInput;
  readonly output: ChannelOutput;
  /** SSH_MSG_CHANNEL_SUCCESS and SSH_MSG_CHANNEL_FAILURE. Returns whether there was a request that they answer. */
  receiveReply(success: boolean): boolean;
  /** SSH_MSG_CHANNEL_CLOSE */
  receiveClose(): void;
  /** The connection is gone. */
  connectionClosed(): void;
  /** Sends a message behind all output that was written so far; after `close()` the log has a warning in its place. */
  sendAfterOutput(what: string, encode: (recipientChannel: number) => Buffer): void;
  /** Work that goes on although the request it came with was answered. The channel's place is taken until it is done. */
  work: Promise<void> | undefined;
  /**
   * Writes a warning about the channel into the log. Of several with the same message, which has nothing of the client in it, the
   * first on a connection is a line.
   */
  warn(message: string, fields?: object): void;
}

/** The port of a channel, which only the library gets: this module is behind no door of the package. */
export let portOf: (channel: Channel) => ChannelPort;

/**
 * A channel (RFC 4254 §5) as a stream: reading gives what the peer sends and grants it new window as it is consumed,
 * writing waits for the peer's window. `end()` sends EOF; the channel stays open until `close()` or `destroy()`. On a
 * session, `end()` ends its program: see `SessionChannel`.
 */
export class Channel<Connection = unknown> extends Duplex {
  static {
    portOf = (channel) => {
      if (!(#port in channel)) throw new TypeError(`the channel ${OF_ANOTHER_COPY}`);
      return channel.#port;
    };
  }

  /** Our number of the channel, unique in its connection. */
  readonly id: number;
  /** Channel type: `session`, … */
  readonly kind: string;
  /** The fields of the CHANNEL_OPEN message that belong to this type (RFC 4254 §7.2 for `direct-tcpip`). */
  readonly openFields: Buffer;
  /** The connection the channel belongs to. */
  readonly connection: Connection;

  readonly #link: ChannelLink;
  readonly #input: ChannelInput;
  readonly #output: ChannelOutput;
  readonly #port: ChannelPort;
  #replies: PendingReplies<boolean> | undefined;
  #abortController: AbortController | undefined;
  #closed = false;

  /** @internal Channels are made by the library. */
  constructor(parameters: ChannelParameters, link: ChannelLink, connection: Connection) {
    super({ autoDestroy: false, writableHighWaterMark: WRITABLE_HIGH_WATER_MARK });
    this.id = parameters.id;
    this.kind = parameters.kind;
    this.openFields = parameters.openFields;
    this.connection = connection;
    this.#link = link;
    this.#output = new ChannelOutput(this, parameters, link, (stderr) => this.#reportErrors(stderr));
    const window = new ReceiveWindow(link.maxWindowSize, (bytes) => link.mayGrowWindow(bytes));
    this.#input = new ChannelInput(this, window, this.#output);
    this.#port = {
      input: this.#input,
      output: this.#output,
      receiveReply: (success) => this.#replies?.receive(success) ?? false,
      receiveClose: () => this.#receiveClose(),
      connectionClosed: () => this.#connectionClosed(),
      sendAfterOutput: (what, encode) => this.#sendAfterOutput(what, encode),
      work: undefined,
      warn: (message, fields) => link.warned(this.id, message, fields),
    };
    this.#reportErrors(this);
  }

  /** Bytes of data that the peer has sent. */
  get bytesReceived(): number {
    return this.#input.bytesReceived;
  }

  /** Bytes of data that were sent to it, error output included. */
  get bytesSent(): number {
    return this.#output.bytesSent;
  }

  /** Fires when the channel is closed by the peer, or with its connection. */
  get signal(): AbortSignal {
    if (this.#abortController === undefined) {
      this.#abortController = new AbortController();
      if (this.#closed) this.#abortController.abort();
    }
    return this.#abortController.signal;
  }

  /**
   * The stream for error output (RFC 4254 §5.2). EOF is sent when it was written as well, and when the streams that are piped
   * into it have ended.
   */
  get stderr(): Writable {
    return this.#output.stderr;
  }

  /** Writes all of `data`, however long: what does not fit the peer's window is kept in memory. */
  send(data: string | Uint8Array): void {
    this.write(data);
  }

  /** Writes all of `data` as error output, however long. */
  sendStderr(data: string | Uint8Array): void {
    this.#output.stderr.write(data);
  }

  /** Tells the peer that no more output comes (RFC 4254 §5.3). Data written before is sent first. */
  sendEof(): void {
    this.#output.end();
  }

  /**
   * Asks something of the peer (RFC 4254 §5.4). It overtakes output that still waits to be sent.
   *
   * @param fields of the request, behind its name and `want reply`
   * @returns whether the peer has done it. Rejects where there will be no answer: the channel is closed, the last 256
   *   requests were not answered, or the peer does not take what was sent before; with an AnswerTimeoutError after two minutes
   */
  sendRequest(kind: string, fields: Uint8Array = NO_FIELDS, options: RequestOptions = {}): Promise<boolean> {
    return mayBeIgnored(this.#sendRequest(kind, fields, options));
  }

  /** Closes the channel once all output and EOF have been sent. */
  close(): void {
    this.#output.close();
  }

  /** @internal */
  [TAKE_LENT_DATA](take: ((data: Buffer) => void) | undefined): void {
    this.#input.takeDirectly(take);
  }

  /** @internal */
  [SEND_NOW](bytes: Uint8Array): number {
    return this.#output.sendNow(bytes);
  }

  override read(size?: number): Buffer | string | null {
    this.#input.beforeRead(size);
    const data = super.read(size);
    this.#input.afterRead(size, data !== null);
    return data;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.#output.write(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error) => void): void {
    this.#output.writeChunks(chunks, callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.#output.settle();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#output.sendClose();
    callback(error ?? this.#cutOff());
    this.#output.destroy();
  }

  #cutOff(): Error | null {
    if (this.#input.eofReceived && this.#input.hasReader) {
      return new CutOffError("the channel was closed before all of its input was read");
    }
    const waitsForRoom = this.writableLength >= this.writableHighWaterMark && !this.writableEnded;
    return waitsForRoom ? new CutOffError("the channel was closed before all of its output was taken") : null;
  }

  async #sendRequest(kind: string, fields: Uint8Array, options: RequestOptions): Promise<boolean> {
    checkRequest(kind, fields);
    const { wantReply, signal } = checkRequestOptions(options);
    if (this.#output.closeSent) throw new Error("the channel is closed");
    checkRoom(this.#link);
    this.#replies ??= new PendingReplies();
    const success = wantReply ? this.#replies.add(signal) : true;
    this.#output.sendRequest(kind, wantReply ? "wanted" : "unwanted", fields);
    return success;
  }

  #receiveClose(): void {
    this.#output.sendClose();
    this.#end();
    // Data that the peer has sent before it closed can still be read. Nobody waits for a writer that will not get on.
    if (this.#input.hasReader && !this.#output.waits) {
      this.#input.endByClose();
      this.once("end", () => this.destroy());
    } else {
      this.destroy();
    }
  }

  #connectionClosed(): void {
    this.#output.drop();
    this.#end();
    this.destroy();
  }

  #sendAfterOutput(what: string, encode: (recipientChannel: number) => Buffer): void {
    if (this.#output.closing) this.#link.warned(this.id, `${what} after close() is not sent`);
    else this.#output.sendAfterOutput(encode(this.#output.recipientChannel));
  }

  #reportErrors(stream: Writable): void {
    stream.on("error", (error) => {
      if (stream.listenerCount("error") === 1 && !(error instanceof CutOffError))
        this.#link.errorIgnored(this.id, error);
    });
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#abortController?.abort();
    this.#replies?.fail(() => new Error("the channel was closed before the answer"));
    this.#link.closed(this.id);
  }
}
