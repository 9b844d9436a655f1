import { describe, expect, it } from "vitest";
import { Recent } from "../../../src/authenticators/files/recent.js";

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

  it("weighs what it keeps", () => {
    const recent = new Recent<string>(10, (text) => text.length);
    const kept = () => ["a", "b", "c"].map((name) => recent.get(name));
    recent.set("a", "xxxx");
    recent.set("b", "xxxx");
    recent.set("a", "xx");
    recent.set("c", "xxxx");
    expect(kept()).toEqual(["xx", "xxxx", "xxxx"]);
    recent.set("c", "xxxxxxx");
    expect(kept()).toEqual([undefined, undefined, "xxxxxxx"]);
    recent.set("a", "x".repeat(11));
    expect(kept()).toEqual([undefined, undefined, undefined]);
    recent.set("a", "x".repeat(10));
    expect(kept()).toEqual(["xxxxxxxxxx", undefined, undefined]);
  });
});
