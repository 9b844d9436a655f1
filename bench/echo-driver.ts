import { openSync, readSync, writeSync } from "node:fs";
import { echoIsReady } from "./servers/contender.js";

// `echo-driver.js INPUT OUTPUT COUNT MILLISECONDS`: sends single bytes into the pipe INPUT and waits for each at the end of
// the pipe OUTPUT, COUNT times or until the time is over. It prints the median and the 99th percentile, µs, as JSON. It
// blocks where it reads, so that no event loop of its own is in what it measures.

/** Before the first that counts. */
const warmUps = 200;
/** With fewer, a 99th percentile says nothing. */
const fewest = 100;

const [inputPipe = "", outputPipe = "", count = "", milliseconds = ""] = process.argv.slice(2);
const input = openSync(inputPipe, "w");
const output = openSync(outputPipe, "r");
const byte = Buffer.from("x");
const neverNotified = new Int32Array(new SharedArrayBuffer(4));

function readByte(): string {
  if (readSync(output, byte) === 0) throw new Error("the echo ended");
  return byte.toString("latin1");
}

/** Microseconds from sending to arrival. */
function roundTrip(): number {
  // As keys are pressed: the server has nothing to do in between; never in step with a clock of its.
  Atomics.wait(neverNotified, 0, 0, 0.5 + Math.random());
  const started = process.hrtime.bigint();
  writeSync(input, byte);
  readByte();
  return Number(process.hrtime.bigint() - started) / 1000;
}

while (readByte() !== echoIsReady);
for (let echo = 0; echo < warmUps; echo++) roundTrip();

const samples: number[] = [];
const deadline = performance.now() + Number(milliseconds);
while (samples.length < Number(count) && performance.now() < deadline) samples.push(roundTrip());
if (samples.length < fewest) throw new Error(`only ${samples.length} bytes came back in time`);

const sorted = samples.toSorted((one, other) => one - other);
const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
process.stdout.write(JSON.stringify({ median: percentile(0.5), percentile99: percentile(0.99) }));
