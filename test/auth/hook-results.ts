import { AUTH_FAILED } from "../../src/protocol/constants.js";

/** A refusal, and what hooks without types may return by mistake: none of it proves anything. */
export const NOT_SUCCESSFUL: readonly (readonly [string, unknown])[] = [
  ["AUTH_FAILED", AUTH_FAILED],
  ["undefined", undefined],
  ["null", null],
  ["true", true],
  ["false", false],
  ['"0"', "0"],
  ['""', ""],
  ["0n", 0n],
  ["1n", 1n],
  ["NaN", Number.NaN],
  ["3", 3],
  ["-1", -1],
  ["1.5", 1.5],
  ["[0]", [0]],
  ["{}", {}],
  ["an object that turns into 0", { valueOf: () => 0 }],
  ["a Number object", Object(0)],
  ["a function", () => 0],
];
