import { expect } from "vitest";

// A setup file: buffers are compared at once. Vitest compares them number by number, which made up most of what the
// longest tests took.
expect.addEqualityTesters([
  (left, right) => (Buffer.isBuffer(left) && Buffer.isBuffer(right) ? left.equals(right) : undefined),
]);
