import { describe, expect, it } from "vitest";
import { findLogger, loggerOf, setLoggerOf } from "../../src/base/connection-logger.js";
import { silentLogger, stderrLogger } from "../../src/base/logger.js";
import { LogRecord } from "../authenticators/test-login.js";

describe("the logger of a connection", () => {
  const connection = {};
  const record = new LogRecord();
  setLoggerOf(connection, record);

  it("is the one that was set, and otherwise standard error", () => {
    expect(loggerOf(connection)).toBe(record);
    expect(loggerOf({})).toBe(stderrLogger);
    expect(loggerOf(undefined)).toBe(stderrLogger);
  });

  it("is used where none was given, and no other is", () => {
    expect(findLogger(undefined)(connection)).toBe(record);
    expect(findLogger(false)(connection)).toBe(silentLogger);
    const given = new LogRecord();
    findLogger(given)(connection).warn({}, "said");
    expect(given.lines).toEqual([{ level: "warn", message: "said" }]);
    expect(record.lines).toEqual([]);
  });
});
