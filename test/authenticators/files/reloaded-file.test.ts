import { chmodSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ReloadedFile } from "../../../src/authenticators/files/reloaded-file.js";
import { temporaryFolder } from "../../support/tools.js";

const folder = temporaryFolder();

/** A file of lines, of which those that say `bad` are refused; it counts how often it is parsed. */
function reloaded(name: string) {
  const path = join(folder, name);
  const log: string[] = [];
  const note = (level: string) => (fields: object, message: string) =>
    void log.push(`${level}: ${message} ${Object.values(fields).slice(1).join(" ")}`.trim());
  const parse = vi.fn((text: string) => ({
    text,
    refused: text.split("\n").flatMap((line, index) => (line === "bad" ? [{ line: index + 1, reason: "bad" }] : [])),
  }));
  const logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const file = new ReloadedFile({ kind: "test file", path, secrecy: "private", reading: "again" }, parse, logger);
  const write = (text: string) => writeFileSync(path, text, { mode: 0o600 });
  return { path, log, parse, file, write, text: async () => (await file.current())?.text };
}

describe("ReloadedFile", () => {
  it("says what the file says now, however it was changed", async () => {
    const { path, write, text } = reloaded("changing");
    write("one");
    expect(await text()).toBe("one");
    write("two");
    expect(await text()).toBe("two");
    // The same length and times, by another file in its place.
    const { atime, mtime } = statSync(path);
    const next = `${path}.next`;
    writeFileSync(next, "six", { mode: 0o600 });
    utimesSync(next, atime, mtime);
    renameSync(next, path);
    expect(await text()).toBe("six");
  });

  it("says nothing while the file cannot be used, and logs that once", async () => {
    const { path, write, text, log } = reloaded("broken");
    write("one");
    expect(await text()).toBe("one");
    chmodSync(path, 0o666);
    expect([await text(), await text()]).toEqual([undefined, undefined]);
    rmSync(path);
    expect([await text(), await text()]).toEqual([undefined, undefined]);
    write("two");
    expect([await text(), await text()]).toEqual(["two", "two"]);
    expect(log).toEqual([
      expect.stringMatching(/^error: test file cannot be used: all are refused .* can be written by other users/),
      expect.stringMatching(/^error: test file cannot be used: all are refused .* ENOENT/),
      "info: test file can be used again",
    ]);
  });

  it("reads once for all that ask meanwhile, and again for who asks later", async () => {
    const { write, text, parse } = reloaded("together");
    write("one");
    expect(new Set(await Promise.all(Array.from({ length: 100 }, text)))).toEqual(new Set(["one"]));
    expect(parse).toHaveBeenCalledTimes(1);
  });

  it("reads no more when the file stays as it is", async () => {
    const { write, text, parse } = reloaded("settled");
    write("one");
    vi.setSystemTime(Date.now() + 10_000);
    try {
      expect([await text(), await text(), await text()]).toEqual(["one", "one", "one"]);
    } finally {
      vi.useRealTimers();
    }
    expect(parse).toHaveBeenCalledTimes(1);
  });

  it("logs lines that cannot be used once, and others when there are others", async () => {
    const { write, text, log } = reloaded("lines");
    write("bad\nok\nbad");
    await text();
    await text();
    expect(log).toEqual(["warn: user refused 1 bad", "warn: user refused 3 bad"]);
    write("ok\nbad");
    await text();
    expect(log.slice(2)).toEqual(["warn: user refused 2 bad"]);
  });

  it("fails to load where current says nothing", async () => {
    const { file, log } = reloaded("none");
    await expect(file.load()).rejects.toThrow("ENOENT");
    expect(log).toEqual([]);
  });
});
