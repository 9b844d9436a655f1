import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { systemErrorCode } from "../../src/base/system-error-code.js";

it("is read off errors that have one", () => {
  let missing: unknown;
  try {
    readFileSync("/nonexistent/file");
  } catch (error) {
    missing = error;
  }
  expect(systemErrorCode(missing)).toBe("ENOENT");
  for (const other of [
    new Error("ENOENT"),
    Object.assign(new Error(), { code: 4 }),
    { code: "ENOENT" },
    null,
    "ENOENT",
  ]) {
    expect(systemErrorCode(other)).toBeUndefined();
  }
});
