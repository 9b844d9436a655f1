import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { putBack } from "../../../src/crypto/cipher/put-back.js";

const KIBIBYTE = 1024;

it("writes to the packet; large memory is given back", () => {
  const made = Buffer.allocUnsafeSlow(32 * KIBIBYTE);
  randomBytes(made.length).copy(made);
  const copy = Buffer.from(made);
  const packet = Buffer.alloc(40 * KIBIBYTE);
  putBack(made, packet, 4);
  expect(packet.subarray(4, 4 + copy.length).equals(copy)).toBe(true);
  expect([made.length, made.buffer.byteLength]).toEqual([0, 0]);
});

it("leaves memory alone that has more in it", () => {
  const whole = Buffer.alloc(64 * KIBIBYTE, "x");
  const part = whole.subarray(0, 32 * KIBIBYTE);
  putBack(part, Buffer.alloc(40 * KIBIBYTE), 0);
  expect([part.length, whole.toString("latin1", 0, 3)]).toEqual([32 * KIBIBYTE, "xxx"]);
});

it("keeps nothing of what it has given back", () => {
  const packet = Buffer.alloc(32 * KIBIBYTE);
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 1000; count++) putBack(Buffer.allocUnsafeSlow(32 * KIBIBYTE), packet, 0);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * KIBIBYTE * KIBIBYTE);
});
