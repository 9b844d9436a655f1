import fc from "fast-check";
import { expect } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.js";
import { codePoint } from "../support/code-point.js";

export const bytesArbitrary: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.from(bytes));

/** A text that UTF-8 can hold, zero bytes and marks included. */
export const textArbitrary = fc.string({ unit: codePoint, maxLength: 60 });

/** Names as RFC 4251 §6 has them: printable US-ASCII without comma. */
export const nameArbitrary = fc
  .uint8Array({ min: 0x21, max: 0x7e, minLength: 1, maxLength: 64 })
  .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll(",", "-"));

export const uint32Arbitrary = fc.integer({ min: 0, max: 0xffff_ffff });

/** Checks that `read` throws a ProtocolError for everything the message begins with, and takes the whole of it. */
export function expectEveryTruncationRefused(message: Buffer, read: (bytes: Buffer) => unknown, from = 0): void {
  for (let length = from; length < message.length; length++) {
    expect(() => read(message.subarray(0, length)), `${length} of ${message.length} bytes`).toThrow(ProtocolError);
  }
  expect(() => read(message)).not.toThrow();
}
