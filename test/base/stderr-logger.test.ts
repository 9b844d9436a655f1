import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { builtFile } from "../support/build.js";

const start = () => spawn(process.execPath, [builtFile("test/base/stderr-logger-process.ts")]);

describe("the logger where none was given", () => {
  it("writes warnings, errors and what was asked for to standard error, and one that comes all the time at times only", async () => {
    const child = start();
    const said = text(child.stderr);
    child.stdin.end("go on");
    const lines = (await said).split("\n");
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z warn a warning hook=checkOne$/);
    expect(lines[1]).toMatch(/^[\dTZ:.-]+ error an error err="Error: broken"$/);
    expect(lines[2]).toMatch(/^ {4}at .*stderr-logger-process/);
    expect(lines.filter((line) => line.endsWith(" error again and again hook=checkTwo"))).toHaveLength(20);
    expect(lines.join()).not.toMatch(/a debug line|an info line/);
    expect(lines.filter((line) => line.endsWith("Z info asked for"))).toHaveLength(100);
    const asked = (level: string) =>
      lines.filter((line) => line.endsWith(` from ${level} on`)).map((line) => line.split(" ")[1]);
    expect(asked("debug")).toEqual(["debug", "info", "warn", "error"]);
    expect(asked("info")).toEqual(["info", "warn", "error"]);
    expect(asked("warn")).toEqual(["warn", "error"]);
    expect(asked("error")).toEqual(["error"]);
    expect(lines.filter((line) => line.endsWith("Z info all of them"))).toHaveLength(100);
  });

  it("does not end the process where nobody reads standard error", async () => {
    const child = start();
    await once(child.stdout, "data");
    child.stderr.destroy();
    await once(child.stderr, "close");
    child.stdin.end("go on");
    expect(await once(child, "close")).toEqual([7, null]);
  });
});
