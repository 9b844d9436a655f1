import { describe, expect, it } from "vitest";
import { UsedCodes } from "../../../src/authenticators/totp/used-codes.js";

describe("UsedCodes", () => {
  it("knows the user's last code, and that those before are over", () => {
    const used = new UsedCodes();
    expect(used.isUsed("ann", 100)).toBe(false);
    used.use("ann", 100, 99);
    expect([99, 100, 101].map((step) => used.isUsed("ann", step))).toEqual([true, true, false]);
    expect(used.isUsed("bob", 100)).toBe(false);
    used.use("ann", 101, 99);
    expect([100, 101, 102].map((step) => used.isUsed("ann", step))).toEqual([true, true, false]);
  });

  it("forgets what is not accepted any more", () => {
    const used = new UsedCodes();
    used.use("ann", 100, 99);
    used.use("bob", 102, 101);
    // Too old to be accepted, so that nothing needs to be known of it.
    expect(used.isUsed("ann", 100)).toBe(false);
    expect(used.isUsed("bob", 102)).toBe(true);
  });
});
