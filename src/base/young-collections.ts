import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Bytes of buffers that are made between two collections of young objects. In a process that was idle for a while, V8 marks its whole
 * heap as soon as memory outside of it has grown by 9 MiB; what a collection has found counts until another thread has freed it.
 */
const BUFFERS_PER_COLLECTION = 4 * 1024 * 1024;

/** Bytes of buffers since the last collection. */
let made = 0;
let collectYoung: (() => void) | undefined;

/**
 * To be called for each buffer that is made by the packet and will soon be garbage.
 *
 * V8 collects its young objects, cheaply, when their space is full; the memory behind buffers is not in it. A server that moves data
 * makes large buffers and hardly any objects, and so meets another limit first, that on all memory outside the heap, which makes V8
 * mark the whole heap: up to 64 times for each GiB, which takes more time than all the rest. So young objects are collected in
 * time, and the buffers are found with them: 256 times for each GiB, of a tenth of a millisecond each.
 */
export function countShortLivedBuffer(length: number): void {
  made += length;
  if (made < BUFFERS_PER_COLLECTION) return;
  made = 0;
  collectYoung ??= youngCollector();
  collectYoung();
}

/** V8 shows `gc` to contexts that are made while its flag is set; there is no other way to ask for a collection of young objects. */
function youngCollector(): () => void {
  const shown = globalThis.gc !== undefined;
  try {
    setFlagsFromString("--expose-gc");
    const collect: NodeJS.GCFunction | undefined = runInNewContext("globalThis.gc");
    if (!shown) setFlagsFromString("--no-expose-gc");
    return () => void collect?.({ type: "minor" });
  } catch {
    // A runtime without V8 has limits of its own.
    return () => {};
  }
}
