import { readFileSync } from "node:fs";
import { keepFreedMemory } from "../../src/base/keep-freed-memory.js";

// Tells the bytes by which the heap of the C library grows for a block of 24 MiB: none where the block is mapped on its own, and
// given back as soon as it is freed. To be run with `--expose-gc`.

function heapLength(): number {
  const [, start = "", end = ""] =
    /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m.exec(readFileSync("/proc/self/maps", "latin1")) ?? [];
  return Number.parseInt(end, 16) - Number.parseInt(start, 16);
}

keepFreedMemory();
if (!("transfer" in ArrayBuffer.prototype)) {
  // Node.js 20 frees it as garbage: what the first collection finds, when the second one begins.
  globalThis.gc?.();
  globalThis.gc?.();
}
const before = heapLength();
const block = Buffer.allocUnsafeSlow(24 * 1024 * 1024);
process.stdout.write(`${heapLength() - before} of ${block.length}`);
