import { lookup } from "node:dns/promises";
import { LookupQueue } from "./lookup-queue.js";

/** Names that wait beyond this number would wait longer than clients do. */
const MAX_WAITING = 1024;

/** Threads that Node.js has for names, files and hashes where nobody says otherwise. */
const DEFAULT_THREADS = 4;

let queue: LookupQueue | undefined;

/**
 * The names that clients want to be connected to, as the operating system resolves them, `/etc/hosts` included. It does
 * that on a thread for each name, of which the process has few, for as long as the name's servers like. So there is one
 * queue for all servers of the process.
 */
export function systemLookups(): LookupQueue {
  queue ??= new LookupQueue(async (host) => (await lookup(host, { all: true })).map(({ address }) => address), {
    running: maxLookups(process.env.UV_THREADPOOL_SIZE),
    waiting: MAX_WAITING,
  });
  return queue;
}

/**
 * The number of lookups that may run together: half of the threads, since libuv lets no more of them resolve names, and one
 * less where that leaves two, for the program's own lookups. With one alone, a single name that hangs would stop all others.
 *
 * @param size the number of threads, as libuv reads it from the environment
 */
export function maxLookups(size: string | undefined): number {
  const threads = size === undefined ? DEFAULT_THREADS : Number.parseInt(size, 10) || 1;
  const half = Math.max(1, Math.floor(threads / 2));
  return half > 2 ? half - 1 : half;
}
