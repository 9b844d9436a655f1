import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { returnPacketBuffer, takePacketBuffer } from "../codec/packet-buffers.js";
import { DATA_HEAD_LENGTH } from "../codec/replies.js";
import type { OpenFile, OpenObject } from "./handle-table.js";

/** Slow reads, one behind the other, each asked for once the one before was answered: then the next blocks are read ahead. */
const READS_BEFORE = 3;

/** Blocks that are held for one session, those whose reads have been in vain and have not ended among them. */
const MAX_BLOCKS = 8;

/** Bytes of memory that they take. */
const MAX_MEMORY = 1024 * 1024;

/** A block that was read longer ago, milliseconds, is read anew. */
const MAX_AGE = 1000;

/** What was read of a file: `count` bytes in a buffer of the pool, behind the place of the head of a reply. */
export interface ReadData {
  readonly buffer: Buffer;
  readonly count: number;
}

/** Reads of one file, each behind the one before it and of the same length. */
interface Sequence {
  readonly file: OpenFile;
  /** Bytes of each read. */
  readonly length: number;
  /** The position of the read that is expected next. */
  next: number;
  /** Reads that have not been answered. */
  unanswered: number;
  /** Reads that the file system had not answered at once, since the last one that it had. */
  slow: number;
  /** Blocks to be read ahead. */
  window: number;
  /** From `next` on, without a gap. */
  readonly ahead: Block[];
}

/** What is read before it is asked for. */
interface Block {
  readonly file: OpenFile;
  readonly position: number;
  readonly buffer: Buffer;
  state: "under way" | "full" | "useless";
  /** Never fails. Absent until the file system has answered the call. */
  ended: Promise<void> | undefined;
  /** When its read ended, milliseconds of `performance.now`. */
  time: number;
  /** Nobody is to get it: the buffer is given back when the read has ended. */
  isDropped: boolean;
}

/**
 * Reads files for a session: ahead of a client that asks for one block after the other and waits for each, where the file
 * system does not answer at once. Then the delays of file system and network add up, block by block.
 *
 * It is for one sequence of reads, the last. A block is given once, no later than `MAX_AGE`; the end of the file
 * and failures are not given, but looked for anew: they may have gone meanwhile.
 */
export class ReadAhead {
  readonly #mayBegin: () => boolean;
  #sequence: Sequence | undefined;
  /** What was not given. */
  readonly #held = new Set<Block>();
  #memory = 0;
  #expiry: NodeJS.Timeout | undefined;

  /** @param mayBegin whether blocks may be read ahead now: not while anything runs, or waits, that could change them */
  constructor(mayBegin: () => boolean) {
    this.#mayBegin = mayBegin;
  }

  /** Bytes that it takes, those of dropped blocks whose reads have not ended included. */
  get memory(): number {
    return this.#memory;
  }

  /** Reads what the client asks for. The buffer is the caller's from then on. */
  read(file: OpenFile, position: number, length: number): MaybePromise<ReadData> {
    const sequence = this.#sequence;
    if (sequence?.file === file && sequence.next === position && sequence.length === length) {
      const [block] = sequence.ahead;
      if (block === undefined && sequence.unanswered === 0) return this.#readNow(file, position, length, sequence);
      if (block?.position === position && canBeGiven(block)) return this.#give(sequence, block);
    }
    this.drop();
    return this.#readNow(file, position, length);
  }

  /** Forgets what was read ahead. */
  drop(): void {
    const sequence = this.#sequence;
    if (sequence === undefined) return;
    this.#sequence = undefined;
    for (const block of sequence.ahead.splice(0)) {
      if (block.state === "under way") block.isDropped = true;
      else this.#giveBack(block);
    }
  }

  /** Resolves when nothing of the file is being read ahead any more. To be called when all of it was dropped. */
  idle(object: OpenObject): MaybePromise<void> {
    const reads = [...this.#held].filter(({ file, state }) => file === object && state === "under way");
    if (reads.length > 0) return Promise.all(reads.map(({ ended }) => ended)).then(() => undefined);
  }

  /** @param begun the sequence that it continues */
  #readNow(file: OpenFile, position: number, length: number, begun?: Sequence): MaybePromise<ReadData> {
    const buffer = takePacketBuffer(DATA_HEAD_LENGTH + length);
    const failed = (error: unknown): never => {
      returnPacketBuffer(buffer);
      throw error;
    };
    let count: MaybePromise<number>;
    try {
      count = file.transfer.read(dataPart(buffer, length), position);
    } catch (error) {
      this.drop();
      return failed(error);
    }
    if (!isThenable(count)) {
      this.drop();
      return { buffer, count };
    }
    if (this.#sequence !== begun) this.drop();
    const sequence = begun ?? { file, length, next: position, unanswered: 0, slow: 0, window: 1, ahead: [] };
    this.#sequence = sequence;
    sequence.next += length;
    sequence.unanswered++;
    return count.then(
      (read) => {
        sequence.slow++;
        this.#answered(sequence, read);
        return { buffer, count: read };
      },
      (error: unknown) => {
        this.#answered(sequence, 0);
        return failed(error);
      },
    );
  }

  #give(sequence: Sequence, block: Block): MaybePromise<ReadData> {
    const { file, length, next: position } = sequence;
    sequence.ahead.shift();
    sequence.next += length;
    this.#held.delete(block);
    this.#memory -= block.buffer.length;
    const isWaitedFor = block.state === "under way";
    // The client is faster than what is read ahead.
    if (isWaitedFor) sequence.window = Math.min(2 * sequence.window, MAX_BLOCKS);
    if (sequence.unanswered === 0) this.#fill(sequence);
    sequence.unanswered++;
    const given = (): MaybePromise<ReadData> => {
      const isFull = block.state === "full";
      this.#answered(sequence, isFull ? length : 0);
      if (!isFull) {
        returnPacketBuffer(block.buffer);
        return this.read(file, position, length);
      }
      file.transfer.countRead(length);
      return { buffer: block.buffer, count: length };
    };
    return isWaitedFor ? Promise.resolve(block.ended).then(given) : given();
  }

  /** @param count bytes that the client is given */
  #answered(sequence: Sequence, count: number): void {
    sequence.unanswered--;
    if (this.#sequence !== sequence) return;
    if (count < sequence.length || count === 0) {
      this.drop();
      return;
    }
    if (sequence.unanswered > 0) return;
    this.#fill(sequence);
    this.#expiry ??= setTimeout(this.#expire, MAX_AGE).unref();
    this.#expiry.refresh();
  }

  /** A client that takes its time gets nothing sooner. */
  readonly #expire = (): void => {
    if (this.#sequence?.unanswered === 0) this.drop();
  };

  #fill(sequence: Sequence): void {
    while (sequence.slow >= READS_BEFORE && sequence.ahead.length < sequence.window && this.#mayBegin()) {
      if (!this.#begin(sequence)) return;
    }
  }

  /** Begins to read the next block ahead. */
  #begin(sequence: Sequence): boolean {
    const { file, length, ahead } = sequence;
    const position = sequence.next + ahead.length * length;
    if (position + length > Number.MAX_SAFE_INTEGER || this.#held.size === MAX_BLOCKS) return false;
    const buffer = takePacketBuffer(DATA_HEAD_LENGTH + length);
    if (this.#memory + buffer.length > MAX_MEMORY) {
      returnPacketBuffer(buffer);
      return false;
    }
    const block: Block = { file, position, buffer, state: "under way", ended: undefined, time: 0, isDropped: false };
    this.#memory += buffer.length;
    this.#held.add(block);
    ahead.push(block);
    const ended = (count: number) => this.#ended(sequence, block, count === length ? "full" : "useless");
    const failed = () => ended(0);
    try {
      const count = file.transfer.readAhead(dataPart(buffer, length), position);
      if (isThenable(count)) {
        block.ended = count.then(ended, failed);
        return this.#sequence === sequence;
      }
      // The file system is quick now.
      sequence.slow = 0;
      ended(count);
    } catch {
      failed();
    }
    return false;
  }

  #ended(sequence: Sequence, block: Block, state: "full" | "useless"): void {
    block.state = state;
    block.time = performance.now();
    if (block.isDropped) this.#giveBack(block);
    else if (state === "useless" && this.#sequence === sequence) this.drop();
  }

  #giveBack(block: Block): void {
    this.#held.delete(block);
    this.#memory -= block.buffer.length;
    returnPacketBuffer(block.buffer);
  }
}

function canBeGiven({ state, ended, time }: Block): boolean {
  return state === "under way" ? ended !== undefined : performance.now() - time <= MAX_AGE;
}

/** The part of a buffer for the data of a reply. */
function dataPart(buffer: Buffer, length: number): Buffer {
  return buffer.subarray(DATA_HEAD_LENGTH, DATA_HEAD_LENGTH + length);
}
