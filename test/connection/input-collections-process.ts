import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inputOf, openTestChannel } from "./test-channel.js";

// Reads half a gibibyte from a channel by `data`, and tells how often V8 has collected its young objects, and its whole heap, meanwhile.

const { NODE_PERFORMANCE_GC_MAJOR, NODE_PERFORMANCE_GC_MINOR } = constants;

const PACKET = Buffer.alloc(32 * 1024);
const PACKETS_PER_TURN = 8;
const TURNS = (512 * 1024 * 1024) / (PACKETS_PER_TURN * PACKET.length);

const collections = { young: 0, whole: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const kind = kindOf(entry);
    if (kind === NODE_PERFORMANCE_GC_MINOR) collections.young++;
    else if (kind === NODE_PERFORMANCE_GC_MAJOR) collections.whole++;
  }
}).observe({ entryTypes: ["gc"] });

function kindOf({ detail }: PerformanceEntry & { readonly detail?: unknown }): unknown {
  return typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
}

// V8 sets a limit for a heap when it has marked it once, and that needs 8 MiB of objects.
const held = Array.from({ length: 200_000 }, (_, index) => ({ index, list: [index] }));

const { channel } = openTestChannel();
let read = 0;
channel.on("data", (data: Buffer) => {
  read += data.length;
});
for (let turn = 0; turn < TURNS; turn++) {
  for (let packet = 0; packet < PACKETS_PER_TURN; packet++) inputOf(channel).receiveData(PACKET);
  await nextTurn();
}
// The observer hears of a collection in a later turn.
await nextTurn();
await nextTurn();
process.stdout.write(JSON.stringify({ read, held: held.length, ...collections }));
