import { connect, type NetConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import type { Readable } from "node:stream";

/** Bytes that are read of a socket before others have their turn: Node.js would read its block 32 times. */
const MAX_TURN = 256 * 1024;

/**
 * The memory that all sockets of the process read into, one after the other: what one has read is taken, or copied, before the
 * next one reads. It stays in the processor's cache, and idle connections have no memory for what may come.
 */
const block = Buffer.allocUnsafeSlow(MAX_TURN);

/** Memory for one read of a socket: little at first, and more once that was filled, as much as its reader can use. */
const blocks = {
  /** For a peer that nobody knows yet. */
  little: block.subarray(0, 32 * 1024),
  /** For a channel, which sends as much in a turn. */
  channel: block.subarray(0, 128 * 1024),
  much: block,
};

/** Windows has the memory from the start of a read to its end, and so for all sockets at once. */
const canShareBlock = process.platform !== "win32";

const reads = new WeakMap<object, DirectSource>();

/** Takes bytes that are overwritten once it returns. Returns whether to go on; if not, `resume()` of the socket does. */
export type TakeBytes = (bytes: Buffer) => boolean;

/** Reads of a stream for a reader that takes them directly, not from the stream. */
export interface DirectSource {
  /** Has what is read in the place of the only listener of `data`, while the stream is flowing. */
  take: TakeBytes | undefined;
  /** How much a socket reads at a time at most. */
  most: keyof typeof blocks;
}

/**
 * Connects a socket that can hand over what it reads without new memory for each read: a stream of Node.js that is read
 * fast makes so much garbage that its collection costs more than the reading. To everyone else it is a socket as any other.
 *
 * @param options of `net.connect`
 */
export function connectForDirectReads(options: NetConnectOpts): Socket {
  return canShareBlock ? withDirectReads((onread) => connect({ ...options, onread })) : connect(options);
}

/** @param descriptor of the read end of a pipe, which belongs to the returned stream from now on */
export function openForDirectReads(descriptor: number): Socket {
  const pipe = { fd: descriptor, readable: true, writable: false };
  if (!canShareBlock) return new Socket(pipe);
  return withDirectReads((onread) => {
    const options: ReadOptions = { ...pipe, onread };
    return new Socket(options);
  });
}

/**
 * Makes a socket of Node.js read directly: a connection that was accepted, or the output of a child. There is no public way to say how
 * these are read. The socket stays as it is if something was read of it, or if this version of Node.js keeps that in other places.
 *
 * @param socket that was just made, and that nobody else uses
 */
export function readDirectly(socket: Socket): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  const wasRead = socket.bytesRead > 0 || socket.readableLength > 0;
  places ??= findPlaces();
  const { buffer, generator, callback } = places;
  if (!canReadDirectly(handle) || wasRead || socket.destroyed || !buffer || !generator || !callback) return;
  withDirectReads((onread) => {
    const first = onread.buffer();
    Reflect.set(socket, buffer, first);
    Reflect.set(socket, generator, onread.buffer);
    Reflect.set(socket, callback, onread.callback);
    handle.useUserBuffer(first);
    return socket;
  });
}

/** The properties in which a socket keeps its option `onread`. */
interface OnReadPlaces {
  readonly buffer: symbol | undefined;
  readonly generator: symbol | undefined;
  readonly callback: symbol | undefined;
}

let places: OnReadPlaces | undefined;

/** Looks at a socket that has that option. */
function findPlaces(): OnReadPlaces {
  const onread = { buffer: () => blocks.little, callback: () => true };
  const socket = new Socket({ onread } as ReadOptions);
  const symbols = Object.getOwnPropertySymbols(socket);
  const placeOf = (value: unknown) => symbols.find((symbol) => Reflect.get(socket, symbol) === value);
  return {
    buffer: symbols.find(({ description }) => description === "kBuffer"),
    generator: placeOf(onread.buffer),
    callback: placeOf(onread.callback),
  };
}

/** Options of a socket that its types do not have. */
interface ReadOptions extends SocketConstructorOpts {
  readonly onread: OnReadOpts;
}

interface DirectHandle {
  useUserBuffer(buffer: Uint8Array): void;
}

function canReadDirectly(handle: unknown): handle is DirectHandle {
  return canShareBlock && typeof handle === "object" && handle !== null && "useUserBuffer" in handle;
}

/** The option `onread` with memory that is asked for before each read. */
interface DirectOnRead extends OnReadOpts {
  readonly buffer: () => Uint8Array;
}

function withDirectReads(create: (onread: DirectOnRead) => Socket): Socket {
  const source: DirectSource = { take: undefined, most: "much" };
  let next = blocks.little;
  let turn = 0;
  const socket = create({
    buffer: () => next,
    callback: (length) => {
      const bytes = block.subarray(0, length);
      const take = isTakenDirectly(socket) ? source.take : undefined;
      const goesOn = take?.(bytes) ?? socket.push(Buffer.from(bytes));
      if (length === blocks.little.length) next = blocks[source.most];
      turn += length;
      if (!goesOn || turn < MAX_TURN) return goesOn;
      turn = 0;
      setImmediate(readOn, socket);
      return false;
    },
  });
  reads.set(socket, source);
  return socket;
}

function readOn(socket: Socket): void {
  // To resume it would let a socket flow that nobody listens to yet.
  if (!socket.isPaused()) socket.read(0);
}

/** @returns the direct reads of a stream that was made for them */
export function directReadsOf(stream: object): DirectSource | undefined {
  return reads.get(stream);
}

/** What is read for a stream can be taken directly, as long as `isTakenDirectly` says so. */
export function offerDirectReads(stream: Readable): DirectSource {
  const source: DirectSource = { take: undefined, most: "much" };
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
