import { describe, expect, it } from "vitest";
import { Places } from "../../src/forwarding/places.js";

describe("Places", () => {
  it("are given back once", () => {
    const places = new Places(2);
    const [first, second] = [places.take(), places.take()];
    expect([first, second, places.take()]).toEqual([expect.any(Function), expect.any(Function), undefined]);
    first?.();
    first?.();
    expect(places.taken).toBe(1);
  });

  it("of one client are places of all", () => {
    const all = new Places(3);
    const [one, other] = [new Places(2, all), new Places(2, all)];
    const taken = [one.take(), one.take(), one.take(), other.take(), other.take()];
    expect(taken.map((release) => release !== undefined)).toEqual([true, true, false, true, false]);
    // One that was refused for all has taken none of the client's own.
    expect([one.taken, other.taken, all.taken]).toEqual([2, 1, 3]);
    taken[0]?.();
    expect([one.taken, all.taken]).toEqual([1, 2]);
    expect(other.take()).toBeDefined();
  });
});
