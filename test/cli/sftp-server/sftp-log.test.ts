import { describe, expect, it } from "vitest";
import type { Severity } from "../../../src/cli/sftp-server/line-log.js";
import { SFTPLog } from "../../../src/cli/sftp-server/sftp-log.js";
import type { SFTPLogLevel } from "../../../src/cli/sftp-server/sftp-server-options.js";

function collect(level: SFTPLogLevel, write: (log: SFTPLog) => void): string[] {
  const lines: string[] = [];
  const log = new SFTPLog(
    { write: (severity, line) => void lines.push(`${severity} ${line}`), close: () => {} },
    level,
  );
  write(log);
  return lines;
}

describe("SFTPLog", () => {
  it.each<[SFTPLogLevel, Severity[]]>([
    ["QUIET", []],
    ["FATAL", []],
    ["ERROR", ["err"]],
    ["INFO", ["err", "info"]],
    ["VERBOSE", ["err", "info"]],
    ["DEBUG", ["err", "info", "debug"]],
    ["DEBUG3", ["err", "info", "debug"]],
  ])("at level %s takes %j", (level, expected) => {
    const lines = collect(level, (log) => {
      for (const severity of ["err", "info", "debug"] as const) log.write(severity, "text");
    });
    expect(lines).toEqual(expected.map((severity) => `${severity} text`));
  });

  it("writes one line whatever is in a name", () => {
    const lines = collect("INFO", (log) =>
      log.write("info", 'open "/a\nsession closed\u001b[2J\u202e\udc80\u2028é🦀"'),
    );
    expect(lines).toEqual(['info open "/a?session closed?[2J???é🦀"']);
  });

  it("tells of failures what led to them", () => {
    const lines = collect("ERROR", (log) => {
      log.writeFailure("err", "request failed", { request: "open", err: new Error("bad\nthing") });
      log.writeFailure("err", "the end", {});
    });
    expect(lines).toEqual(["err request failed: open: bad", "err the end"]);
  });
});
