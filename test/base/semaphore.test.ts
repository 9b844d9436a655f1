import { describe, expect, it } from "vitest";
import { Semaphore } from "../../src/base/semaphore.js";

describe("Semaphore", () => {
  it("lets only so many run at a time, in order", async () => {
    const semaphore = new Semaphore(2);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const runs = [0, 1, 2, 3].map((number) =>
      semaphore.run(async () => {
        started.push(number);
        await new Promise<void>((resolve) => {
          finish[number] = resolve;
        });
        return number;
      }),
    );
    expect(started).toEqual([0, 1]);
    finish[1]?.();
    expect(await runs[1]).toBe(1);
    await expect.poll(() => started).toEqual([0, 1, 2]);
    finish[0]?.();
    await expect.poll(() => started).toEqual([0, 1, 2, 3]);
    finish[2]?.();
    finish[3]?.();
    expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
  });

  it("goes on after a failure", async () => {
    const semaphore = new Semaphore(1);
    const failed = semaphore.run(async () => {
      throw new Error("no");
    });
    const next = semaphore.run(async () => "next");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("next");
  });
});
