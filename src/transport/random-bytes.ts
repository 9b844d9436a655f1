import { randomFillSync } from "node:crypto";

/** Random bytes are taken from a pool: a call to the generator for every packet would cost a tenth of it. */
const pool = Buffer.allocUnsafeSlow(16 * 1024);
let used = pool.length;

/** Fills `target` from `start` to `end` with random bytes that the peer sees, at most 255: padding (RFC 4253 §6), cookies. */
export function fillRandom(target: Buffer, start: number, end: number): void {
  const length = end - start;
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, start, used, used + length);
  used += length;
}
