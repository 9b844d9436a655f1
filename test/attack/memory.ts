import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// Or compiled code that has not run for some collections is dropped between two measurements, a megabyte at a time.
setFlagsFromString("--no-flush-bytecode");
const collect: unknown = runInNewContext("gc");
if (typeof collect !== "function") throw new Error("no garbage collector to call");

export const MIB = 1024 * 1024;

/** Bytes that this process, server and client together, still needs. */
export function memoryInUse(): number {
  // Buffers die in two steps: the object in one collection, its memory after it.
  for (let round = 0; round < 2; round++) Reflect.apply(collect as () => void, undefined, []);
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
