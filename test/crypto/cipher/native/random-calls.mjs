// Calls the addon with right and wrong parameters in any order, for so many seconds and 10,000 calls: `node random-calls.mjs ADDON SEED SECONDS`.
// Run with an addon that is built with the sanitizers: what counts is that it goes on. Prints the number of calls.
import { createRequire } from "node:module";

const [file, seed, seconds] = process.argv.slice(2);
const { Sealer, Opener, lookAtEntries } = createRequire(import.meta.url)(file);

let state = Number(seed);

/** Mulberry32 */
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

const pick = (values) => values[below(values.length)];
/** Memory of its own, of which the array is a part or all. */
function array() {
  const memory = new ArrayBuffer(pick([0, 1, 3, 4, 16, 20, 40, 64, 100, 200, 5000]));
  if (below(20) === 0) structuredClone(memory, { transfer: [memory] });
  const start = below(memory.byteLength + 1);
  return below(2) === 0 ? new Uint8Array(memory) : new Uint8Array(memory, start, below(memory.byteLength - start + 1));
}
const WRONG = [
  undefined,
  null,
  true,
  "4",
  4n,
  {},
  [],
  Symbol("4"),
  new Float64Array(8),
  new DataView(new ArrayBuffer(8)),
];
const NUMBERS = [
  0,
  1,
  4,
  16,
  20,
  40,
  64,
  100,
  -1,
  0.5,
  Number.NaN,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  Number.POSITIVE_INFINITY,
];
const value = (usual) => (below(30) === 0 ? pick([...WRONG, array(), below(100)]) : usual());
const number = () => (below(4) === 0 ? pick(NUMBERS) : below(100));

const CIPHERS = [
  ["chacha20-poly1305", [64], 0, [0]],
  ["aes-gcm", [16, 32], 12, [0]],
  ["aes-ctr encrypt-then-mac", [16, 24, 32], 16, [32, 64]],
  ["aes-ctr encrypt-and-mac", [16, 24, 32], 16, [32, 64]],
];

function make(kind) {
  const [cipher, keys, iv, macs] = pick(CIPHERS);
  const of = (length) => new Uint8Array(new ArrayBuffer(below(50) === 0 ? below(70) : length));
  return new kind(
    value(() => cipher),
    value(() => of(pick(keys))),
    value(() => of(iv)),
    value(() => of(pick(macs))),
  );
}

const METHODS = {
  seal: () => [value(array), value(number), value(number), value(number)],
  readLength: () => [value(array), value(number), value(number)],
  open: () => [value(array), value(number), value(number), value(number)],
  openPieces: () => [value(array), value(array), value(array), value(number)],
  destroy: () => [],
  lookAtEntries: () => [value(number), value(names), value(() => new Float64Array(below(40))), value(number)],
};

function names() {
  const bytes = new Uint8Array(below(12)).map(() => pick([0, 0, 46, 97, 255]));
  if (below(10) === 0) bytes.fill(47, below(12));
  if (below(10) !== 0) bytes.fill(0, -1);
  return bytes;
}

const objects = [new Object()];
const methods = [
  ...Object.entries(Object.getOwnPropertyDescriptors(Sealer.prototype)),
  ...Object.entries(Object.getOwnPropertyDescriptors(Opener.prototype)),
  // On Linux.
  ...(lookAtEntries === undefined ? [] : [["lookAtEntries", { value: lookAtEntries }]]),
].filter(([name]) => name in METHODS);
const LEAST_CALLS = 10_000;
let calls = 0;
for (
  const end = Date.now() + Number(seconds) * 1000;
  calls < LEAST_CALLS || calls % 100 !== 0 || Date.now() < end;
  calls++
) {
  try {
    if (below(10) === 0) {
      const made = make(pick([Sealer, Opener]));
      if (objects.length < 50) objects.push(made);
      else objects[below(objects.length)] = made;
    }
    const [name, { value: method }] = pick(methods);
    const self = below(30) === 0 ? pick([undefined, {}, Sealer.prototype]) : pick(objects);
    if (name === "destroy" && below(10) !== 0) continue;
    const parameters = METHODS[name]();
    if (below(50) === 0) parameters.pop();
    const callee = below(2) === 0 && typeof self?.[name] === "function" ? self[name] : method;
    Reflect.apply(callee, self, parameters);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
console.log(calls);
