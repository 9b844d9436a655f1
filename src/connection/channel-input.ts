import type { Readable } from "node:stream";
import { countShortLivedBuffer } from "../base/young-collections.js";
import { ProtocolError } from "../protocol/errors.js";
import type { ReceiveWindow } from "./receive-window.js";
import { UnreadBlocks } from "./unread-blocks.js";

/** Unread data shorter than this is packed into blocks, bytes. */
const SMALL_DATA_LENGTH = 1024;

/** The way back to the peer, as far as what comes from it needs it. */
interface WindowOutput {
  /** Our CLOSE was sent: what comes is dropped, and no more is let in. */
  readonly closeSent: boolean;
  /** Lets the peer send so many bytes more. */
  grantWindow(bytes: number): void;
}

/** The data that the peer sends on a channel, until its reader has got it. */
export class ChannelInput {
  /** The window that the peer may fill. */
  readonly window: ReceiveWindow;
  readonly #stream: Readable;
  readonly #output: WindowOutput;
  readonly #unread = new UnreadBlocks();
  /** Somebody may begin to read later: what the peer sends before it closes the channel is kept for them. */
  isAwaited = false;
  /** Bytes of data that the peer has sent. */
  bytesReceived = 0;
  /** Bytes, or characters, that the last read asked for and did not find: its reader has to hear when they are there. */
  #wanted: number | undefined;
  #partlyRead = false;
  #eofReceived = false;
  #endedByClose = false;
  #take: ((data: Buffer) => void) | undefined;

  /** @param stream of the channel, whose readable half is the input */
  constructor(stream: Readable, window: ReceiveWindow, output: WindowOutput) {
    this.#stream = stream;
    this.window = window;
    this.#output = output;
  }

  /** Whether the peer has said that nothing more comes from it. */
  get eofReceived(): boolean {
    return this.#eofReceived;
  }

  /** Whether the input has ended because the peer has closed the channel, and has not said that this was all. */
  get endedByClose(): boolean {
    return this.#endedByClose;
  }

  /** Whether a reader has not come to the end: it listens, it has called `read` and has not got all, or it is still to come. */
  get hasReader(): boolean {
    const stream = this.#stream;
    if (this.isAwaited || stream.readableFlowing !== null) return !stream.readableEnded;
    return this.#partlyRead && stream.readableLength + this.#unread.length > 0;
  }

  /**
   * Gives data to `take` in the place of the stream's only listener of `data`, without the stream's machinery: while the
   * stream is flowing and holds nothing back.
   */
  takeDirectly(take: ((data: Buffer) => void) | undefined): void {
    this.#take = take;
  }

  /**
   * SSH_MSG_CHANNEL_DATA
   *
   * @param data is lent until this returns
   */
  receiveData(data: Buffer): void {
    this.#count(data);
    if (this.#output.closeSent || this.#stream.destroyed) return;
    const behind = this.#stream.readableLength > 0 || this.#unread.length > 0;
    if (this.#take !== undefined && !behind && this.#isFlowing) {
      this.#take(data);
      this.#grantWindow();
      return;
    }
    if (behind && data.length < SMALL_DATA_LENGTH) {
      this.#unread.append(data, this.#push);
      if (this.#wanted !== undefined) this.#flushFor(this.#wanted);
    } else {
      this.#flush();
      this.#push(ownCopy(data));
    }
    this.#grantWindow();
  }

  /** SSH_MSG_CHANNEL_EXTENDED_DATA: it is dropped, since servers have no use for it. */
  receiveExtendedData(data: Buffer): void {
    this.#count(data);
    this.#grantWindow();
  }

  /** SSH_MSG_CHANNEL_EOF */
  receiveEof(): void {
    this.#eofReceived = true;
    this.#flush();
    this.#stream.push(null);
  }

  /** SSH_MSG_CHANNEL_CLOSE, where there is a reader for what came before: it hears of the end, with or without EOF. */
  endByClose(): void {
    if (this.#eofReceived) return;
    this.#endedByClose = true;
    this.receiveEof();
  }

  /** The stream is about to be read. */
  beforeRead(size: number | undefined): void {
    if (size !== undefined && size > this.#stream.readableLength) this.#flushFor(size);
  }

  /** @param found whether the read has given something */
  afterRead(size: number | undefined, found: boolean): void {
    // Node.js reads 0 bytes by itself, to keep the stream going.
    if (size !== 0) this.#wanted = found ? undefined : (size ?? 1);
    if (found) this.#partlyRead = true;
    // Readers hear only of what lies in the stream's own buffer.
    if (this.#stream.readableLength === 0) this.#flush();
    this.#grantWindow();
  }

  get #isFlowing(): boolean {
    const { readableFlowing, readableEncoding } = this.#stream;
    return readableFlowing === true && readableEncoding === null && this.#stream.listenerCount("data") === 1;
  }

  #count(data: Buffer): void {
    if (this.#eofReceived) throw new ProtocolError("data on a channel after its EOF");
    this.window.receive(data.length);
    this.bytesReceived += data.length;
  }

  readonly #push = (data: Buffer): void => {
    this.#stream.push(data);
  };

  /** Hands over what is unread if that makes `size`, which counts characters where there is an encoding. */
  #flushFor(size: number): void {
    const { readableEncoding, readableLength } = this.#stream;
    if (readableEncoding === null && readableLength + this.#unread.length < size) return;
    this.#wanted = undefined;
    this.#flush();
  }

  #flush(): void {
    if (this.#unread.length > 0) this.#unread.flush(this.#push);
  }

  #grantWindow(): void {
    if (this.#output.closeSent || this.#eofReceived) return;
    const credit = this.window.credit(this.#stream.readableLength + this.#unread.length);
    if (credit > 0) this.#output.grantWindow(credit);
  }
}

/** Long data gets memory of its own: a short piece of it that is kept must not hold more. */
function ownCopy(data: Buffer): Buffer {
  if (data.length < SMALL_DATA_LENGTH) return Buffer.from(data);
  countShortLivedBuffer(data.length);
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}
