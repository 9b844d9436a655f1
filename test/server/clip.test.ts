import { expect, it } from "vitest";
import { clip } from "../../src/server/clip.js";

it("clip leaves the first 256 characters, and shows that there were more", () => {
  expect(clip("x".repeat(256))).toBe("x".repeat(256));
  expect(clip("x".repeat(257))).toBe(`${"x".repeat(256)}…`);
});
