import { describe, expect, it, vi } from "vitest";
import { GatheredOutput } from "../../src/process/gathered-output.js";

const FULL = 32 * 1024;

function gatheredOutput() {
  const handed: Buffer[] = [];
  let told = () => {};
  const output = new GatheredOutput((bytes) => {
    handed.push(Buffer.from(bytes));
    told();
  });
  const next = () => new Promise<void>((resolve) => (told = resolve));
  return { output, handed, next };
}

describe("the output of a program", () => {
  it("that is slow is handed on as it comes", () => {
    const { output, handed } = gatheredOutput();
    for (const text of ["a", "bc", "d"]) output.add(Buffer.from(text));
    expect(handed.map(String)).toEqual(["a", "bc", "d"]);
  });

  it("that is fast is handed on in full packets, in order, and what is left after a moment", async () => {
    const { output, handed, next } = gatheredOutput();
    // However busy this machine is, the program is fast.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    const lent = Buffer.alloc(FULL, "first");
    output.add(lent);
    const pieces = Array.from({ length: 20 }, (_, index) => Buffer.alloc(4000, `${index}.`));
    for (const piece of pieces) {
      piece.copy(lent);
      output.add(lent.subarray(0, piece.length));
    }
    lent.fill("overwritten");
    clock.mockRestore();
    expect(handed.length).toBeLessThan(6);
    while (handed.reduce((sum, { length }) => sum + length, 0) < FULL + 20 * 4000) await next();
    expect(Buffer.concat(handed.slice(1)).equals(Buffer.concat(pieces))).toBe(true);
  });

  it("that ends is handed on at once", () => {
    const { output, handed } = gatheredOutput();
    output.add(Buffer.alloc(FULL));
    output.add(Buffer.from("the end"));
    output.flush();
    output.flush();
    expect(handed.map(({ length }) => length)).toEqual([FULL, 7]);
  });
});
