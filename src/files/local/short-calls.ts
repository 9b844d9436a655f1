import fs, { constants, type Stats } from "node:fs";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { LinkInPathError } from "../errors.js";
import * as system from "./system-calls.js";

/** The calls that files of any number are opened, looked at, filled and closed with. */
interface ShortCalls {
  /** @throws {LinkInPathError} where the path names a link */
  open(path: system.SystemPath, flags: number, mode: number): MaybePromise<number>;
  lstat(path: system.SystemPath): MaybePromise<Stats>;
  fstat(descriptor: number): MaybePromise<Stats>;
  /** @returns how many bytes it read: 0 at the end of the file */
  read(descriptor: number, buffer: Buffer, position: number): MaybePromise<number>;
  /** @returns how many bytes it wrote */
  write(descriptor: number, data: Buffer, position: number | null): MaybePromise<number>;
  close(descriptor: number): MaybePromise<void>;
}

/** All calls, of which the short ones may be made at once. */
export type SystemCalls = Omit<typeof system, keyof ShortCalls> & ShortCalls;

/** Each in a thread of Node's pool. */
export const queuedCalls: SystemCalls = system;

/** Bytes that are read or written at once. */
const MAX_PROMPT_LENGTH = 64 * 1024;

/** Bytes of a file that is emptied at once, or closed at once: closing it may free it, or begin to write it out. */
const MAX_PROMPT_SIZE = 8 * 1024 * 1024;

/** A call that takes longer than this, milliseconds, is a slow one. */
const SLOW = 2;

/** After a slow call this many times its duration goes by before another one is made at once. */
const REST = 100;

/** The same where the call was an exception. */
const SHORT_REST = 4;

/**
 * A slow call behind so many quick ones is an exception: the machine had other work for its processor in the meantime. A
 * disk that has to be asked is slow again and again.
 */
const MANY_QUICK_CALLS = 50;

/** A call that takes longer than this, milliseconds, is none: writers to a disk that cannot follow are held up so. */
const TOO_SLOW = 10;

let restUntil = 0;
let quickCalls = 0;

/**
 * Made at once, while the process waits: on a disk of this machine the kernel answers from its memory in a few
 * microseconds, a tenth of what it costs to hand a call to Node's pool and back. When the disk has to be asked after
 * all, that shows in the time; then calls are handed to the pool for a while, so that the process spends no more than a
 * hundredth of its time waiting for the disk.
 */
export const promptCalls: SystemCalls = {
  ...system,
  open(path, flags, mode) {
    if (isResting() || ((flags & constants.O_TRUNC) !== 0 && isLargeFile(path))) {
      return queuedCalls.open(path, flags, mode);
    }
    try {
      return timed(() => fs.openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode));
    } catch (error) {
      throw systemErrorCode(error) === "ELOOP" ? new LinkInPathError() : error;
    }
  },
  lstat: (path) => (isResting() ? queuedCalls.lstat(path) : timed(() => fs.lstatSync(path))),
  // The attributes of an open file are in the kernel's memory.
  fstat: (descriptor) => fs.fstatSync(descriptor),
  read(descriptor, buffer, position) {
    if (isResting() || buffer.length > MAX_PROMPT_LENGTH) return queuedCalls.read(descriptor, buffer, position);
    return timed(() => fs.readSync(descriptor, buffer, 0, buffer.length, position));
  },
  write(descriptor, data, position) {
    if (isResting() || data.length > MAX_PROMPT_LENGTH) return queuedCalls.write(descriptor, data, position);
    return timed(() => fs.writeSync(descriptor, data, 0, data.length, position));
  },
  close(descriptor) {
    if (isResting() || !isSmall(descriptor)) return queuedCalls.close(descriptor);
    return timed(() => fs.closeSync(descriptor));
  },
};

/** An error in a path shows when the path is used. */
function isLargeFile(path: system.SystemPath): boolean {
  try {
    return timed(() => fs.lstatSync(path)).size > MAX_PROMPT_SIZE;
  } catch {
    return false;
  }
}

/** A file that cannot be looked at counts as large, so that it is closed all the same. */
function isSmall(descriptor: number): boolean {
  try {
    return fs.fstatSync(descriptor).size <= MAX_PROMPT_SIZE;
  } catch {
    return false;
  }
}

function isResting(): boolean {
  return restUntil > 0 && performance.now() < restUntil;
}

function timed<T>(call: () => T): T {
  const start = performance.now();
  try {
    return call();
  } finally {
    const end = performance.now();
    if (end - start > SLOW) {
      const isException = quickCalls >= MANY_QUICK_CALLS && end - start < TOO_SLOW;
      restUntil = end + (end - start) * (isException ? SHORT_REST : REST);
      quickCalls = 0;
    } else {
      quickCalls++;
    }
  }
}
