import { readFileSync } from "node:fs";
import { keepFreedMemory } from "../../src/base/keep-freed-memory.js";

// Tells the bytes by which the heap of the C library grows for a block of 24 MiB: none where the block is mapped on its own, and
// given back as soon as it is freed; or "no room", where V8's code happens to lie right behind the heap: the C library puts its blocks
// elsewhere then. To be run with `--expose-gc`.

const LENGTH = 24 * 1024 * 1024;

/** Where the heap of the C library ends, and where the next memory begins. */
function heap(): { readonly end: number; readonly next: number } {
  const maps = readFileSync("/proc/self/maps", "latin1");
  const [, ...addresses] = /-([0-9a-f]+) .*\[heap\]\n([0-9a-f]+)-/.exec(maps) ?? [];
  const [end = Number.NaN, next = Number.NaN] = addresses.map((text) => Number.parseInt(text, 16));
  return { end, next };
}

/** Blocks that were mapped on their own: one that is freed would be a measure itself. */
const kept: Buffer[] = [];

function growth(): number {
  const before = heap().end;
  kept.push(Buffer.allocUnsafeSlow(LENGTH));
  return heap().end - before;
}

const { end, next } = heap();
const hasRoom = next - end > 2 * LENGTH;
keepFreedMemory();
let grown = growth();
if (!("transfer" in ArrayBuffer.prototype)) {
  // Node.js 20 frees it as garbage, on a thread of its own: when it has got to that, nobody tells.
  const deadline = performance.now() + 5000;
  for (; hasRoom && grown === 0 && performance.now() < deadline; grown = growth()) globalThis.gc?.();
}
process.stdout.write(hasRoom ? `${grown} of ${LENGTH}` : "no room");
