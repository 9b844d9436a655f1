import { describe, expect, it } from "vitest";
import { type Logger, unfailing } from "../../src/base/logger.js";

const LEVELS = ["debug", "info", "warn", "error"] as const;

describe("an unfailing logger", () => {
  it("passes on what it is told, on the same level, to a method of the same object", () => {
    const told: unknown[] = [];
    class Kept implements Logger {
      readonly #told = told;
      debug(fields: object, message: string): void {
        this.#told.push(["debug", fields, message]);
      }
      info(fields: object, message: string): void {
        this.#told.push(["info", fields, message]);
      }
      warn(fields: object, message: string): void {
        this.#told.push(["warn", fields, message]);
      }
      error(fields: object, message: string): void {
        this.#told.push(["error", fields, message]);
      }
    }
    const logger = unfailing(new Kept());
    for (const level of LEVELS) logger[level]({ level }, "said");
    expect(told).toEqual(LEVELS.map((level) => [level, { level }, "said"]));
  });

  it("survives what it passes it on to", () => {
    const fail = () => {
      throw new Error("disk full");
    };
    const logger = unfailing({ debug: fail, info: fail, warn: fail, error: fail });
    for (const level of LEVELS) expect(() => logger[level]({}, "said")).not.toThrow();
  });
});
