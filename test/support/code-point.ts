import fc from "fast-check";

const numbers = fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10_ffff }));

/** For `fc.string`, whose own unit "binary" is the same, and takes seconds to be made. */
export const codePoint = numbers.map((number) => String.fromCodePoint(number));
