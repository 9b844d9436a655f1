import { readFileSync } from "node:fs";
import { keepFreedMemory } from "../../src/base/keep-freed-memory.js";

// Tells the bytes by which the heap of the C library grows for a block of 24 MiB: none where the block is mapped on its own, and
// given back as soon as it is freed. To be run with `--expose-gc`.

const LENGTH = 24 * 1024 * 1024;

function heapLength(): number {
  const [, start = "", end = ""] =
    /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m.exec(readFileSync("/proc/self/maps", "latin1")) ?? [];
  return Number.parseInt(end, 16) - Number.parseInt(start, 16);
}

/** Blocks that were mapped on their own: one that is freed would be a measure itself. */
const kept: Buffer[] = [];

function growth(): number {
  const before = heapLength();
  kept.push(Buffer.allocUnsafeSlow(LENGTH));
  return heapLength() - before;
}

keepFreedMemory();
let grown = growth();
if (!("transfer" in ArrayBuffer.prototype)) {
  // Node.js 20 frees it as garbage, on a thread of its own: when it has got to that, nobody tells.
  const end = performance.now() + 5000;
  for (; grown === 0 && performance.now() < end; grown = growth()) globalThis.gc?.();
}
process.stdout.write(`${grown} of ${LENGTH}`);
