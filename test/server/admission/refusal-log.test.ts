import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RefusalLog } from "../../../src/server/admission/refusal-log.js";

describe("the log of refusals", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function create() {
    const lines: [message: string, fields: object][] = [];
    const info = (fields: object, message: string) => void lines.push([message, fields]);
    const log = new RefusalLog({ debug: info, info, warn: info, error: info });
    return { log, lines };
  }

  it("tells of the first for each reason at once, and of a flood one line per interval", () => {
    const { log, lines } = create();
    for (let count = 0; count < 100_000; count++) {
      log.refused({ reason: count % 4 === 0 ? "maxStartups" : "perSourcePenalties", remoteAddress: "192.0.2.1" });
    }
    expect(lines).toEqual([
      ["a connection was refused", { reason: "maxStartups", remoteAddress: "192.0.2.1" }],
      ["a connection was refused", { reason: "perSourcePenalties", remoteAddress: "192.0.2.1" }],
    ]);
    vi.advanceTimersByTime(10_000);
    expect(lines.slice(2)).toEqual([
      [
        "more connections were refused",
        { refused: 99_998, reasons: { maxStartups: 24_999, perSourcePenalties: 74_999 } },
      ],
    ]);
  });

  it("does not let a flood hide another reason, nor that comes back", () => {
    const { log, lines } = create();
    const flood = () => {
      for (let count = 0; count < 10; count++) log.refused({ reason: "denyFrom", remoteAddress: "192.0.2.1" });
    };
    const proxy = { reason: "proxyProtocol", remoteAddress: "10.0.0.5" } as const;
    flood();
    for (let round = 0; round < 2; round++) {
      log.refused(proxy, { cause: "there is no header" });
      flood();
      expect(lines.at(-1)).toEqual(["a connection was refused", { ...proxy, cause: "there is no header" }]);
      vi.advanceTimersByTime(10_000);
      flood();
    }
  });

  it("counts anew in each interval, and after a quiet one tells at once again", () => {
    const { log, lines } = create();
    const refuse = () => log.refused({ reason: "denyFrom", remoteAddress: undefined });
    refuse();
    refuse();
    vi.advanceTimersByTime(10_000);
    refuse();
    vi.advanceTimersByTime(10_000);
    expect(lines.map(([, fields]) => "refused" in fields && fields.refused)).toEqual([false, 1, 1]);
    vi.advanceTimersByTime(10_000);
    expect(vi.getTimerCount()).toBe(0);
    refuse();
    expect(lines).toHaveLength(4);
  });

  it("tells the rest when it ends", () => {
    const { log, lines } = create();
    for (let count = 0; count < 3; count++) log.refused({ reason: "allowFrom", remoteAddress: "::1" });
    log.flush();
    expect(lines[1]?.[1]).toEqual({ refused: 2, reasons: { allowFrom: 2 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});
