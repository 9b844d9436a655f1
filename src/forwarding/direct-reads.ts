import { connect, type NetConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import type { Readable } from "node:stream";

/** Bytes that a socket reads at a time: it begins with the small block, which is all that an idle connection costs. */
const SMALL_BLOCK_LENGTH = 16 * 1024;
const LARGE_BLOCK_LENGTH = 128 * 1024;

/** Large blocks that are kept for reuse by all sockets of the process. */
const MAX_SPARE_BLOCKS = 32;

const spare: Buffer[] = [];

const reads = new WeakMap<object, DirectSource>();

/** Takes bytes that are overwritten once it returns. Returns whether to go on; if not, `resume()` of the socket does. */
export type TakeBytes = (bytes: Buffer) => boolean;

/** What a stream reads, for who takes it without the stream. */
export interface DirectSource {
  /** Has what is read in the place of the only listener of `data`, while the stream is flowing. */
  take: TakeBytes | undefined;
}

/**
 * Connects a socket that can hand over what it reads without new memory for each read: a stream of Node.js that is read
 * fast makes so much garbage that its collection costs more than the reading. To everyone else it is a socket as any other.
 *
 * @param options of `net.connect`
 */
export function connectForDirectReads(options: NetConnectOpts): Socket {
  return withDirectReads((onread) => connect({ ...options, onread }));
}

/**
 * Takes the output of a child over from the stream that Node.js has made for it, which is destroyed. Node.js has no public way to say
 * how the pipes of a child are read. In a version that keeps their handles in another place, the stream stays as it is.
 *
 * @param stream of a child that was just spawned, which nobody else uses
 * @returns a socket with direct reads, or else the stream itself
 */
export function takeOverForDirectReads(stream: Socket): Socket {
  const handle: unknown = Reflect.get(stream, "_handle");
  if (!canReadDirectly(handle) || stream.bytesRead > 0) return stream;
  const socket = withDirectReads((onread) => {
    const options: HandleOptions = { handle, onread };
    return new Socket(options);
  });
  Reflect.set(stream, "_handle", null);
  stream.destroy();
  return socket;
}

/** Options of a socket that its types do not have. */
interface HandleOptions extends SocketConstructorOpts {
  readonly handle: object;
  readonly onread: OnReadOpts;
}

function canReadDirectly(handle: unknown): handle is object {
  return typeof handle === "object" && handle !== null && "useUserBuffer" in handle && "readStart" in handle;
}

function withDirectReads(create: (onread: OnReadOpts) => Socket): Socket {
  const directReads = new DirectReads();
  const socket = create({ buffer: directReads.block, callback: directReads.received });
  directReads.attach(socket);
  return socket;
}

/** @returns the direct reads of a stream that was made for them */
export function directReadsOf(stream: object): DirectSource | undefined {
  return reads.get(stream);
}

/** What is read for a stream can be taken directly, as long as `isTakenDirectly` says so. */
export function offerDirectReads(stream: Readable): DirectSource {
  const source: DirectSource = { take: undefined };
  reads.set(stream, source);
  return source;
}

/** Whether nobody would miss what a stream does not give: a listener hears bytes in order, and in its encoding. */
export function isTakenDirectly(stream: Readable): boolean {
  return (
    stream.readableFlowing === true &&
    stream.readableLength === 0 &&
    stream.readableEncoding === null &&
    stream.listenerCount("data") === 1
  );
}

/** What a socket reads: given to whoever takes it directly, or else pushed to the stream, as a copy. */
class DirectReads {
  readonly #small = Buffer.allocUnsafeSlow(SMALL_BLOCK_LENGTH);
  #large: Buffer | undefined;
  #socket: Socket | undefined;
  #source: DirectSource | undefined;

  attach(socket: Socket): void {
    this.#socket = socket;
    this.#source = offerDirectReads(socket);
    socket.once("close", () => this.#returnLarge());
  }

  /** The memory that is read into, until more was received. Nobody else has it until the socket is closed. */
  readonly block = (): Buffer => this.#large ?? this.#small;

  /** @returns whether to go on reading */
  readonly received = (length: number, block: Uint8Array): boolean => {
    const bytes = Buffer.from(block.buffer, block.byteOffset, length);
    const socket = this.#socket;
    if (socket === undefined) return false;
    const take = isTakenDirectly(socket) ? this.#source?.take : undefined;
    const goOn = take?.(bytes) ?? socket.push(Buffer.from(bytes));
    if (this.#large === undefined) {
      if (length === SMALL_BLOCK_LENGTH) this.#large = spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BLOCK_LENGTH);
    } else if (length < SMALL_BLOCK_LENGTH) {
      this.#returnLarge();
    }
    return goOn;
  };

  #returnLarge(): void {
    if (this.#large !== undefined && spare.length < MAX_SPARE_BLOCKS) spare.push(this.#large);
    this.#large = undefined;
  }
}
