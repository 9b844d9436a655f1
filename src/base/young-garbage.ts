import { getHeapSpaceStatistics } from "node:v8";

const MIB = 1024 * 1024;

/**
 * Bytes of buffers that are made between two collections of young objects. V8 marks the whole heap when there are 64 MiB, and some
 * 20 where the processor has other work; what a collection has found counts until another thread has freed it.
 */
const BUFFERS_PER_COLLECTION = 16 * MIB;

/** Bytes of the space of young objects from which on it costs more to fill it than to mark the heap. */
const MOST_CAPACITY = 128 * MIB;

/** Bytes of a page of V8's heap. */
const PAGE_LENGTH = 256 * 1024;

/** Elements of an array of just over half a page. It takes a page: the next one does not fit beside it, and only half is written. */
const ELEMENTS = 16_360;

/** V8 would leave out an allocation that nothing can see, so the latest one is kept here. */
export const youngGarbage: { latest: readonly unknown[] } = { latest: [] };

/** Bytes that can be filled with young objects before they are collected. V8 makes it larger while a process runs, from 1 MiB on. */
let capacity = 0;
/** Bytes of buffers since it was measured. */
let unmeasured = BUFFERS_PER_COLLECTION;
/** Bytes of garbage that are due. */
let due = 0;

/**
 * To be called for each buffer that is made by the packet and will soon be garbage.
 *
 * V8 collects its young objects, cheaply, when their space is full; the memory behind buffers is not in it. A server that moves data
 * makes large buffers and hardly any objects, and so meets another limit first, that on all memory outside the heap, which makes V8
 * mark the whole heap: 20 to 50 times for each GiB, which takes more time than all the rest. So the space is filled with garbage in
 * time, and the buffers are found in the same collection: 64 for each GiB, of half a millisecond each.
 */
export function accompanyBuffer(length: number): void {
  unmeasured += length;
  if (unmeasured >= BUFFERS_PER_COLLECTION) {
    unmeasured = 0;
    capacity = youngCapacity();
  }
  due += (length / BUFFERS_PER_COLLECTION) * capacity;
  for (; due >= PAGE_LENGTH; due -= PAGE_LENGTH) youngGarbage.latest = new Array(ELEMENTS);
}

function youngCapacity(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  if (space === undefined) return 0;
  const bytes = space.space_used_size + space.space_available_size;
  return bytes > MOST_CAPACITY ? 0 : bytes;
}
