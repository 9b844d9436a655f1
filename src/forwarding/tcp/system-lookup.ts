import { lookup } from "node:dns/promises";
import { LookupQueue } from "./lookup-queue.js";

/** Names that wait beyond this number would wait longer than clients do. */
const MAX_WAITING = 1024;

/** Threads that Node.js has for the resolver, for files and for hashes where nobody says otherwise. */
const DEFAULT_THREADS = 4;

let queue: LookupQueue | undefined;

/**
 * The names that clients want to be connected to, as the operating system resolves them, `/etc/hosts` included. It does
 * that on a thread for each name, of which the process has few, for as long as the name's servers like. So there is one
 * queue for all servers of the process.
 */
export function systemLookups(): LookupQueue {
  queue ??= new LookupQueue(async (host) => (await lookup(host, { all: true })).map(({ address }) => address), {
    running: Math.max(1, Math.floor(threads() / 2)),
    waiting: MAX_WAITING,
  });
  return queue;
}

/** The number as libuv reads it, which it does when the first thread is needed. */
function threads(): number {
  const { UV_THREADPOOL_SIZE: size } = process.env;
  return size === undefined ? DEFAULT_THREADS : Math.max(1, Number.parseInt(size, 10) || 1);
}
