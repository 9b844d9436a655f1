import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { type Logger, resolveLogger, silentLogger, stderrLogger } from "../../src/base/logger.js";

const LEVELS = ["debug", "info", "warn", "error"] as const;

describe("the option logger", () => {
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
    const logger = resolveLogger(new Kept());
    for (const level of LEVELS) logger[level]({ level }, "said");
    expect(told).toEqual(LEVELS.map((level) => [level, { level }, "said"]));
  });

  it("passes it on to the method that is there when it is told", () => {
    const told: string[] = [];
    const given = { debug: () => {}, warn: () => {} };
    const logger = resolveLogger(given, ["debug", "warn"]);
    given.debug = () => told.push("debug");
    logger.debug({}, "said");
    expect(told).toEqual(["debug"]);
  });

  it("survives what it passes it on to", () => {
    const fail = () => {
      throw new Error("disk full");
    };
    const logger = resolveLogger({ debug: fail, info: fail, warn: fail, error: fail });
    for (const level of LEVELS) expect(() => logger[level]({}, "said")).not.toThrow();
  });

  it("survives a method that fails later", async () => {
    const failures: unknown[] = [];
    const listener = (error: unknown) => failures.push(error);
    process.on("unhandledRejection", listener);
    try {
      const fail = async () => {
        throw new Error("disk full");
      };
      const logger = resolveLogger({ debug: fail, info: fail, warn: fail, error: fail });
      for (const level of LEVELS) logger[level]({}, "said");
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", listener);
    }
    expect(failures).toEqual([]);
  });

  it("is standard error by default, and silence for false", () => {
    expect(resolveLogger(undefined)).toBe(stderrLogger);
    expect(resolveLogger(false)).toBe(silentLogger);
    expect(resolveLogger(undefined, ["debug", "warn"])).toBe(stderrLogger);
  });

  it("needs the levels that are used", () => {
    const given = { debug: () => {}, warn: () => {} };
    expect(() => resolveLogger(given, ["debug", "warn"])).not.toThrow();
    expect(() => Reflect.apply(resolveLogger, undefined, [given])).toThrow("logger: has no method info");
  });

  it("may be a level, and for another text the error names the levels", () => {
    expect(resolveLogger("debug", ["debug", "warn"])).toBe(resolveLogger("debug"));
    for (const text of ["pino", "", "constructor", "INFO"]) {
      expect(() => Reflect.apply(resolveLogger, undefined, [text])).toThrow(
        new ConfigurationError(
          "logger",
          `must be a logger, one of the levels "debug", "info", "warn", "error", or false, not ${JSON.stringify(text)}`,
        ),
      );
    }
  });
});
