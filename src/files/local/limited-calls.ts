import { Semaphore } from "../../base/semaphore.js";
import type { SystemCalls } from "./short-calls.js";
import * as system from "./system-calls.js";

/** Threads of Node's pool where the environment does not say it. */
const DEFAULT_POOL_SIZE = 4;

const poolSize = Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_POOL_SIZE;
const threads = new Semaphore(Math.max(1, Math.floor(poolSize / 2)));

/**
 * For what is mounted inside a root: it may come from another machine, or from a program, that has stopped to answer, and
 * then holds each thread that asks it for ever. All such calls of the process together get half of the pool; the rest is
 * left to everybody else.
 */
export const limitedCalls: SystemCalls = {
  lstat: limited(system.lstat),
  lchown: limited(system.lchown),
  lutimes: limited(system.lutimes),
  mkdir: limited(system.mkdir),
  rename: limited(system.rename),
  rmdir: limited(system.rmdir),
  symlink: limited(system.symlink),
  unlink: limited(system.unlink),
  readlink: limited(system.readlink),
  chmodFollowing: limited(system.chmodFollowing),
  openFollowing: limited(system.openFollowing),
  statFollowing: limited(system.statFollowing),
  statfsFollowing: limited(system.statfsFollowing),
  readdirFollowing: limited(system.readdirFollowing),
  opendirFollowing: limited(system.opendirFollowing),
  readEntry: limited(system.readEntry),
  fchmod: limited(system.fchmod),
  fchown: limited(system.fchown),
  fstat: limited(system.fstat),
  fsync: limited(system.fsync),
  ftruncate: limited(system.ftruncate),
  futimes: limited(system.futimes),
  close: limited(system.close),
  open: limited(system.open),
  link: limited(system.link),
  read: limited(system.read),
  write: limited(system.write),
  writev: limited(system.writev),
};

function limited<Parameters extends unknown[], Result>(
  call: (...parameters: Parameters) => Promise<Result>,
): (...parameters: Parameters) => Promise<Result> {
  return (...parameters) => threads.run(() => call(...parameters));
}
