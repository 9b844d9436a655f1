import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PEER_LIMIT, PendingAnswer } from "../../src/connection/pending-answer.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("an answer that the peer owes", () => {
  it("is waited for two minutes", async () => {
    const answer = new PendingAnswer<boolean>(undefined, PEER_LIMIT);
    vi.advanceTimersByTime(119_999);
    expect(answer.settled).toBe(false);
    vi.advanceTimersByTime(1);
    expect(answer.settled).toBe(true);
    await expect(answer.promise).rejects.toMatchObject({
      name: "AnswerTimeoutError",
      message: "the peer has not answered within 120 s",
      seconds: 120,
    });
  });

  it("leaves no timer behind once it has come", async () => {
    const answer = new PendingAnswer<boolean>(undefined, PEER_LIMIT);
    answer.resolve(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(await answer.promise).toBe(true);
  });

  it("is waited for as long as it takes where somebody else limits the time", () => {
    const answer = new PendingAnswer<boolean>(new AbortController().signal);
    vi.advanceTimersByTime(1_000_000_000);
    expect(answer.settled).toBe(false);
  });
});
