import { describe, expect, it } from "vitest";
import { atOnce, inTurns, type Steps } from "../../src/base/time-slices.js";

const STEPS = 60;

/** Steps of a millisecond each. */
function* work(step: () => void = () => {}): Steps<string> {
  for (let count = 0; count < STEPS; count++) {
    const begun = performance.now();
    while (performance.now() - begun < 1);
    step();
    yield;
  }
  return "done";
}

function* failing(): Steps<string> {
  yield;
  throw new Error("no further");
}

/** The most steps that are taken between two turns of the event loop. */
async function stepsInOneTurn(run: (step: () => void) => Promise<unknown>): Promise<number> {
  let steps = 0;
  let most = 0;
  let running = true;
  const turn = () => {
    steps = 0;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await run(() => {
    steps++;
    most = Math.max(most, steps);
  });
  running = false;
  return most;
}

describe("atOnce", () => {
  it("takes all steps before it returns", () => {
    let steps = 0;
    expect(atOnce(work(() => steps++))).toBe("done");
    expect(steps).toBe(STEPS);
    expect(() => atOnce(failing())).toThrow("no further");
  });
});

describe("inTurns", () => {
  it("gives others their turn every few milliseconds", async () => {
    expect(await stepsInOneTurn((step) => inTurns(work(step)))).toBeLessThanOrEqual(6);
    expect(await inTurns(work())).toBe("done");
  });

  it("takes no longer at a time when several work in turns", async () => {
    const most = await stepsInOneTurn(async (step) => {
      let begun = false;
      // Each begins at once; what counts is how they go on.
      const workers = Array.from({ length: 8 }, () => inTurns(work(() => begun && step())));
      begun = true;
      await Promise.all(workers);
    });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2 * 6);
  });

  it("rejects with what a step throws", async () => {
    await expect(inTurns(failing())).rejects.toThrow("no further");
    // Others go on.
    expect(await inTurns(work())).toBe("done");
  });
});
