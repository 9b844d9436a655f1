import { connect, type NetConnectOpts, type Socket } from "node:net";

/** Bytes that are read at a time. */
const READ_LENGTH = 128 * 1024;

/** Blocks that are kept for reuse by all sockets of the process. */
const MAX_SPARE_BLOCKS = 32;

const spare: Buffer[] = [];

const readers = new WeakMap<Socket, DirectReads>();

/** Takes bytes that are overwritten once it returns. Returns whether to go on; if not, `resume()` of the socket does. */
export type TakeBytes = (bytes: Buffer) => boolean;

/**
 * Connects a socket that can hand over what it reads without new memory for each read: a stream of Node.js that is read
 * fast makes so much garbage that its collection costs more than the reading. To everyone else it is a socket as any other.
 *
 * @param options of `net.connect`
 */
export function connectForDirectReads(options: NetConnectOpts): Socket {
  const reads = new DirectReads();
  const socket = connect({ ...options, onread: { buffer: reads.block, callback: (length) => reads.read(length) } });
  reads.attach(socket);
  return socket;
}

/** @returns the direct reads of a socket that was connected for them */
export function directReadsOf(stream: object): DirectReads | undefined {
  return readers.get(stream as Socket);
}

/** What a socket reads: given to whoever takes it directly, or else pushed to the stream, as a copy. */
export class DirectReads {
  /** The memory that is read into, from now on until the socket is closed. */
  readonly block = spare.pop() ?? Buffer.allocUnsafeSlow(READ_LENGTH);
  /** Has what is read in the place of the only listener of `data`, while the stream is flowing. */
  take: TakeBytes | undefined;
  #socket: Socket | undefined;

  attach(socket: Socket): void {
    this.#socket = socket;
    readers.set(socket, this);
    socket.once("close", () => {
      if (spare.length < MAX_SPARE_BLOCKS) spare.push(this.block);
    });
  }

  /** @returns whether to go on reading */
  read(length: number): boolean {
    const bytes = this.block.subarray(0, length);
    if (this.take === undefined || !this.#isDirect) return this.#socket?.push(Buffer.from(bytes)) ?? false;
    return this.take(bytes);
  }

  /** Whether nobody would see what the stream does not give: a listener hears bytes in order, and in its encoding. */
  get #isDirect(): boolean {
    const socket = this.#socket;
    return (
      socket !== undefined &&
      socket.readableFlowing === true &&
      socket.readableLength === 0 &&
      socket.readableEncoding === null &&
      socket.listenerCount("data") === 1
    );
  }
}
