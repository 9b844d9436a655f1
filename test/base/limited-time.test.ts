import { describe, expect, it, vi } from "vitest";
import { inLimitedTime } from "../../src/base/limited-time.js";

const overdue = () => new Error("too late");
const never = () => new Promise<never>(() => {});

describe("what is done in limited time", () => {
  it("gives its result, or its error", async () => {
    const limit = { milliseconds: Number.POSITIVE_INFINITY, overdue, signals: [undefined] };
    expect(await inLimitedTime(limit, async () => 5)).toBe(5);
    await expect(inLimitedTime(limit, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });

  it("hears of its own failure: what it has begun besides is not wanted any longer", async () => {
    let heard: AbortSignal | undefined;
    const run = async (signal: AbortSignal) => {
      heard = signal;
      throw new Error("broken");
    };
    await expect(inLimitedTime({ milliseconds: 60_000, overdue, signals: [] }, run)).rejects.toThrow("broken");
    expect(heard?.reason).toEqual(new Error("broken"));
  });

  it("is not waited for any longer, and hears of it", async () => {
    let heard: AbortSignal | undefined;
    const waiting = inLimitedTime({ milliseconds: 1, overdue, signals: [] }, (signal) => {
      heard = signal;
      return never();
    });
    await expect(waiting).rejects.toThrow("too late");
    expect(heard?.reason).toEqual(new Error("too late"));
  });

  it("is not waited for once a signal has fired, and is not begun after that", async () => {
    const controller = new AbortController();
    const limit = { milliseconds: 60_000, overdue, signals: [controller.signal] };
    const waiting = inLimitedTime(limit, never);
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    const run = vi.fn(never);
    await expect(inLimitedTime(limit, run)).rejects.toThrow("gone");
    expect(run).not.toHaveBeenCalled();
  });

  it("gives a result that comes too late to the function that takes it back", async () => {
    const controller = new AbortController();
    const late = vi.fn();
    let finish = (_result: string) => {};
    const run = () => new Promise<string>((resolve) => (finish = resolve));
    const waiting = inLimitedTime({ milliseconds: 60_000, overdue, signals: [controller.signal] }, run, late);
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    finish("opened");
    await vi.waitFor(() => expect(late).toHaveBeenCalledExactlyOnceWith("opened"));
  });
});
