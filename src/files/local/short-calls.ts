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

const IF_THERE = { throwIfNoEntry: false } as const;

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
    const start = performance.now();
    try {
      return fs.openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode);
    } catch (error) {
      throw systemErrorCode(error) === "ELOOP" ? new LinkInPathError() : error;
    } finally {
      hasTakenSince(start);
    }
  },
  lstat(path) {
    if (isResting()) return queuedCalls.lstat(path);
    const start = performance.now();
    try {
      return fs.lstatSync(path);
    } finally {
      hasTakenSince(start);
    }
  },
  // The attributes of an open file are in the kernel's memory.
  fstat: (descriptor) => fs.fstatSync(descriptor),
  read(descriptor, buffer, position) {
    if (isResting() || buffer.length > MAX_PROMPT_LENGTH) return queuedCalls.read(descriptor, buffer, position);
    const start = performance.now();
    try {
      return fs.readSync(descriptor, buffer, 0, buffer.length, position);
    } finally {
      hasTakenSince(start);
    }
  },
  write(descriptor, data, position) {
    if (isResting() || data.length > MAX_PROMPT_LENGTH) return queuedCalls.write(descriptor, data, position);
    const start = performance.now();
    try {
      return fs.writeSync(descriptor, data, 0, data.length, position);
    } finally {
      hasTakenSince(start);
    }
  },
  close(descriptor) {
    if (isResting() || !isSmall(descriptor)) return queuedCalls.close(descriptor);
    const start = performance.now();
    try {
      fs.closeSync(descriptor);
    } finally {
      hasTakenSince(start);
    }
  },
};

/**
 * Makes short calls one after the other, where calls are made at once.
 *
 * @param wanted how many
 * @param call makes them, fewer where they have taken so many milliseconds, and tells how many
 * @returns how many were made
 */
export function makeAtOnce(wanted: number, call: (milliseconds: number) => number): number {
  if (isResting()) return 0;
  const start = performance.now();
  const made = call(SLOW);
  if (made < wanted) hasTakenSince(start);
  else quickCalls += made;
  return made;
}

/** An error in a path shows when the path is used. */
function isLargeFile(path: system.SystemPath): boolean {
  const start = performance.now();
  try {
    // Most files are new, and an error with its stack takes longer than the call.
    return (fs.lstatSync(path, IF_THERE)?.size ?? 0) > MAX_PROMPT_SIZE;
  } catch {
    return false;
  } finally {
    hasTakenSince(start);
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

function hasTakenSince(start: number): void {
  const duration = performance.now() - start;
  if (duration <= SLOW) {
    quickCalls++;
    return;
  }
  const isException = quickCalls >= MANY_QUICK_CALLS && duration < TOO_SLOW;
  restUntil = start + duration + duration * (isException ? SHORT_REST : REST);
  quickCalls = 0;
}
