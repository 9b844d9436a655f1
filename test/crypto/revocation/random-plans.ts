import fc from "fast-check";
import type { ListPlan } from "./population.js";

const SERIALS = [
  1n,
  2n,
  5n,
  63n,
  64n,
  65n,
  66n,
  100n,
  1000n,
  1001n,
  2n ** 32n,
  2n ** 63n,
  2n ** 64n - 2n,
  2n ** 64n - 1n,
];
const NAMES = ["u1", "u2", "u3", "u4", "ca-ed25519", "ca-ecdsa", "ca-rsa", "c0", "c5", "c13", "c18"];

const serial = fc.oneof(
  fc.constantFrom(...SERIALS),
  fc.bigInt({ min: 1n, max: 120n }),
  fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
);
const range = fc.tuple(serial, serial).map(([a, b]) => (a < b ? `${a}-${b}` : `${b}-${a}`));
const certificateLine = fc.oneof(
  { weight: 6, arbitrary: serial.map((number) => `serial: ${number}`) },
  { weight: 1, arbitrary: range.map((numbers) => `serial: ${numbers}`) },
  { weight: 1, arbitrary: fc.constantFrom("alice", "bob", "al", "x", "carol", "nobody").map((id) => `id: ${id}`) },
);
const keyLine = fc
  .tuple(fc.constantFrom("key", "sha1", "sha256"), fc.constantFrom(...NAMES))
  .map(([how, name]) => `${how}: {${name}}`);

const plan = fc.record({
  authority: fc.constantFrom("none", "ca-ed25519", "ca-ecdsa", "ca-rsa"),
  files: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
  specifications: fc.array(
    fc.array(fc.oneof({ weight: 9, arbitrary: certificateLine }, { weight: 1, arbitrary: keyLine }), {
      minLength: 1,
      maxLength: 40,
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** The same plans in each run, so that a difference can be found again. */
export function randomPlans(count: number): readonly ListPlan[] {
  return fc
    .sample(plan, { numRuns: count, seed: 4 })
    .map((random, index) => ({ name: `random list ${index}`, ...random }));
}
