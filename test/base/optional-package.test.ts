import { describe, expect, it } from "vitest";
import { requirePackage } from "../../src/base/optional-package.js";

describe("requirePackage", () => {
  it("says what to install", () => {
    expect(() => requirePackage("@spindlex/none", "hashes of nobody")).toThrow(
      "hashes of nobody need the package @spindlex/none, which cannot be loaded: npm install @spindlex/none",
    );
  });

  it("loads what is there", () => {
    expect(requirePackage<typeof import("node:path")>("node:path", "tests").sep).toBe("/");
  });
});
