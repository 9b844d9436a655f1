import { SpareBlocks } from "../../base/spare-blocks.js";

/** The system gives no more of a terminal's output at a time, bytes; Linux gives one less. */
export const READ_LENGTH = 4096;
const FULL_READ = READ_LENGTH - 1;

/** Bytes that are gathered: as much as goes into one packet. */
const GATHERED_LENGTH = 32 * 1024;

const blocks = new SpareBlocks(GATHERED_LENGTH, 32);

/**
 * What a terminal shows, read into memory that is used again. It comes in small pieces, and a packet for each would cost more than
 * all else. So what follows a full piece is gathered, for as long as each turn of the event loop brings more. A piece that is not
 * full, such as the echo of a key, is handed on at once.
 */
export class GatheredReads {
  readonly #hand: (bytes: Buffer) => void;
  readonly #small = Buffer.allocUnsafeSlow(READ_LENGTH);
  /** Holds what is gathered, from `#start` to `#end`; the next piece is read behind it. */
  #large: Buffer | undefined;
  #start = 0;
  #end = 0;
  #turn: NodeJS.Immediate | undefined;
  #hasMore = false;

  /** @param hand gets what was read, in memory that is overwritten afterwards */
  constructor(hand: (bytes: Buffer) => void) {
    this.#hand = hand;
  }

  /** The memory that the next piece is read into. Nobody else has it until the terminal is closed. */
  readonly block = (): Uint8Array =>
    this.#large === undefined ? this.#small : new Uint8Array(this.#large.buffer, this.#end, READ_LENGTH);

  /** A piece was read. Returns that reading goes on, unless `hand` has paused it. */
  readonly received = (length: number, block: Uint8Array): boolean => {
    if (this.#start === this.#end && length < FULL_READ) {
      this.#hand(Buffer.from(block.buffer, block.byteOffset, length));
      this.#returnLarge();
      return true;
    }
    if (this.#large === undefined) {
      this.#large = blocks.take();
      this.#large.set(block.subarray(0, length));
    }
    this.#end += length;
    this.#hasMore = true;
    if (this.#end + READ_LENGTH > GATHERED_LENGTH) {
      this.flush();
      this.#start = 0;
      this.#end = 0;
    } else {
      this.#turn ??= setImmediate(this.#turned);
    }
    return true;
  };

  /** Hands on what was gathered. The next piece is still read behind it. */
  flush(): void {
    const bytes = this.#large?.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (bytes !== undefined && bytes.length > 0) this.#hand(bytes);
  }

  /** Nothing more is read. */
  close(): void {
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#returnLarge();
  }

  readonly #turned = (): void => {
    this.#turn = this.#start === this.#end || !this.#hasMore ? undefined : setImmediate(this.#turned);
    this.#hasMore = false;
    if (this.#turn === undefined) this.flush();
  };

  #returnLarge(): void {
    if (this.#large !== undefined) blocks.giveBack(this.#large);
    this.#large = undefined;
    this.#start = 0;
    this.#end = 0;
  }
}
