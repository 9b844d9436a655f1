import { describe, expect, it } from "vitest";
import { Recent } from "../../../src/authenticators/texts/recent.js";

describe("Recent", () => {
  it("forgets what was used longest ago", () => {
    const recent = new Recent<number>(2);
    recent.set("a", 1);
    recent.set("b", 2);
    expect(recent.get("a")).toBe(1);
    recent.set("c", 3);
    expect(["a", "b", "c"].map((name) => recent.get(name))).toEqual([1, undefined, 3]);
    recent.set("a", 4);
    recent.delete("c");
    expect(["a", "c"].map((name) => recent.get(name))).toEqual([4, undefined]);
  });
});
