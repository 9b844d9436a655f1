import fc from "fast-check";
import { expect } from "vitest";
import { ProtocolError } from "../../../src/protocol/errors.js";

/** A message and how to make values of its fields. */
export interface RoundTrip<T> {
  readonly number: number;
  readonly values: fc.Arbitrary<T>;
  encode(value: T): Buffer;
  decode(payload: Buffer): unknown;
  /** Bytes at the end of which any number is taken: fields that the message leaves to others. */
  openEnd?(value: T): number;
}

/** Each tries all lengths of a message. */
const RUNS = 40;

/** Checks that what is written is read as it was; cut anywhere, or followed by anything, it is refused. */
export function checkRoundTrip<T>({ number, values, encode, decode, openEnd }: RoundTrip<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      const payload = encode(value);
      expect(payload[0]).toBe(number);
      expect(decode(payload)).toEqual(value);
      const malformed = range(1, payload.length - (openEnd?.(value) ?? 0)).map((length) => payload.subarray(0, length));
      if (openEnd === undefined) malformed.push(Buffer.concat([payload, Buffer.of(0)]));
      expect(malformed.filter((bytes) => !isRefused(() => decode(bytes)))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
}

const range = (first: number, end: number) => Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);

function isRefused(decode: () => unknown): boolean {
  try {
    decode();
    return false;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}
