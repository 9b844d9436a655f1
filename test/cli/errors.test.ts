import { describe, expect, it } from "vitest";
import { describeError } from "../../src/cli/errors.js";

describe("describeError", () => {
  it("is one line without control characters", () => {
    expect(describeError(new Error("bad\u001b[2J key\nsecond line"))).toBe("bad?[2J key");
  });

  it("takes anything that was thrown", () => {
    expect(describeError("text")).toBe("text");
    expect(describeError(undefined)).toBe("undefined");
  });
});
