import { createHash, hash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";

export type ShaCryptAlgorithm = "sha256" | "sha512";

export interface ShaCryptInput {
  readonly password: Buffer;
  readonly salt: Buffer;
  readonly rounds: number;
}

/** The time that others wait at a time, milliseconds. There is no thread for this in Node.js. */
const SLICE = 1;
/** Rounds between two looks at the clock, a small part of a slice. */
const ROUNDS_PER_LOOK = 64;

const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The hashes of shadow files, as "Unix crypt using SHA-256 and SHA-512" (U. Drepper, 2007) specifies them; the numbers
 * of steps are that document's. Everything else that the process does has its turn in between.
 *
 * @returns the text after the last `$`, or `undefined` when the signal has fired
 */
export async function computeShaCrypt(
  algorithm: ShaCryptAlgorithm,
  { password, salt, rounds }: ShaCryptInput,
  signal?: AbortSignal,
): Promise<string | undefined> {
  let digest = startingDigest(algorithm, password, salt);
  // Steps 13 to 20.
  const passwordBytes = repeat(digestOf(algorithm, repeat(password, password.length ** 2)), password.length);
  const saltBytes = repeat(digestOf(algorithm, repeat(salt, salt.length * (16 + (digest[0] ?? 0)))), salt.length);
  const layouts = roundLayouts(digest.length, passwordBytes, saltBytes);
  let sliceEnd = performance.now() + SLICE;
  // Step 21.
  for (let round = 0; round < rounds; round++) {
    const layout = layouts[(round % 2) + (round % 3 === 0 ? 0 : 2) + (round % 7 === 0 ? 0 : 4)];
    if (layout === undefined) throw new RangeError("there is a layout for each round");
    digest.copy(layout.input, layout.digestAt);
    digest = digestOf(algorithm, layout.input);
    if (round % ROUNDS_PER_LOOK === 0 && performance.now() >= sliceEnd) {
      await turn();
      if (signal?.aborted) return undefined;
      sliceEnd = performance.now() + SLICE;
    }
  }
  return encode(algorithm, digest);
}

/** Steps 1 to 12. */
function startingDigest(algorithm: ShaCryptAlgorithm, password: Buffer, salt: Buffer): Buffer {
  const other = digestOf(algorithm, Buffer.concat([password, salt, password]));
  const digest = createHash(algorithm).update(password).update(salt).update(repeat(other, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1) digest.update((bits & 1) === 1 ? other : password);
  return digest.digest();
}

/** The input of a round, but for the digest of the round before. */
interface RoundLayout {
  readonly input: Buffer;
  readonly digestAt: number;
}

/** Eight kinds of rounds: odd ones (1), those whose number is not a multiple of 3 (2), and of 7 (4). */
function roundLayouts(digestLength: number, password: Buffer, salt: Buffer): readonly RoundLayout[] {
  const digest = Buffer.alloc(digestLength);
  return Array.from({ length: 8 }, (_, kind) => {
    const isOdd = (kind & 1) !== 0;
    const middle = [...((kind & 2) !== 0 ? [salt] : []), ...((kind & 4) !== 0 ? [password] : [])];
    const input = Buffer.concat(isOdd ? [password, ...middle, digest] : [digest, ...middle, password]);
    return { input, digestAt: isOdd ? input.length - digestLength : 0 };
  });
}

function digestOf(algorithm: ShaCryptAlgorithm, data: Buffer): Buffer {
  return hash(algorithm, data, "buffer");
}

/** `length` bytes of one text after the other. */
function repeat(bytes: Buffer, length: number): Buffer {
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

/** Step 22: three bytes of the digest at a time, in an order of its own, as four digits. */
function encode(algorithm: ShaCryptAlgorithm, digest: Buffer): string {
  const groups = algorithm === "sha256" ? 10 : 21;
  let order: readonly [number, number, number] = [0, groups, 2 * groups];
  let text = "";
  for (let group = 0; group < groups; group++) {
    const [first, second, third] = order;
    text += digits([digest[first], digest[second], digest[third]], 4);
    order = algorithm === "sha256" ? [third + 1, first + 1, second + 1] : [second + 1, third + 1, first + 1];
  }
  return text + (algorithm === "sha256" ? digits([0, digest[31], digest[30]], 3) : digits([0, 0, digest[63]], 2));
}

/** The lowest six bits come first. */
function digits([high = 0, middle = 0, low = 0]: readonly (number | undefined)[], count: number): string {
  const value = (high << 16) | (middle << 8) | low;
  return Array.from({ length: count }, (_, index) => DIGITS.charAt((value >> (6 * index)) & 63)).join("");
}
