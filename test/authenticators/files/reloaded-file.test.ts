import { chmodSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ReloadedFile } from "../../../src/authenticators/files/reloaded-file.js";
import { temporaryFolder } from "../../support/tools.js";
import { LogRecord, later } from "../test-login.js";

const folder = temporaryFolder();

/** A file whose text is what it says, unless that is `bad`. */
function reloaded(name: string) {
  const path = join(folder, name);
  const logger = new LogRecord();
  const parse = vi.fn((bytes: Buffer) => {
    const text = bytes.toString();
    if (text === "bad") throw new Error("it is bad");
    return { text };
  });
  const options = { kind: "test file", path, maxFileSize: 100, strictModes: true, secrecy: "private" } as const;
  const file = new ReloadedFile({ ...options, loggerOf: () => logger }, parse);
  return {
    path,
    parse,
    file,
    log: logger.lines,
    write: (text: string) => writeFileSync(path, text, { mode: 0o600 }),
    text: async () => (await file.current())?.content.text,
    lastAtRest: async () => (await file.current())?.lastAtRest?.text,
  };
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
    const nothing = async () => expect([await text(), await text()]).toEqual([undefined, undefined]);
    write("one");
    expect(await text()).toBe("one");
    chmodSync(path, 0o666);
    await nothing();
    chmodSync(path, 0o644);
    await nothing();
    rmSync(path);
    await nothing();
    write("bad");
    await nothing();
    write("x".repeat(101));
    await nothing();
    write("two");
    expect([await text(), await text()]).toEqual(["two", "two"]);
    const unusable = { level: "error", message: "test file cannot be used: all are refused", path };
    expect(log).toEqual([
      { ...unusable, reason: "other users can write it (mode 0666): chmod go-w it" },
      { ...unusable, reason: "it is open to other users (mode 0644): chmod 600 it" },
      { ...unusable, reason: "there is no such file" },
      { ...unusable, reason: "it is bad" },
      { ...unusable, reason: "it is larger than 100 bytes" },
      { level: "info", message: "test file can be used again", path },
    ]);
  });

  it("reads the same content once for all that ask", async () => {
    const { write, text, parse } = reloaded("together");
    write("one");
    expect(new Set(await Promise.all(Array.from({ length: 100 }, text)))).toEqual(new Set(["one"]));
    await later(async () => expect([await text(), await text(), await text()]).toEqual(["one", "one", "one"]));
    expect(parse).toHaveBeenCalledTimes(1);
    write("bad");
    expect([await text(), await text()]).toEqual([undefined, undefined]);
    expect(parse).toHaveBeenCalledTimes(2);
  });

  it("looks again for a caller that asks while it is being read", async () => {
    const { write, text } = reloaded("meanwhile");
    write("one");
    await text();
    for (const word of ["two", "three", "four"]) {
      const others = Array.from({ length: 20 }, text);
      write(word);
      expect(await text()).toBe(word);
      await Promise.all(others);
    }
  });

  it("says what it said when it last was at rest, until it is again", async () => {
    const { write, text, lastAtRest } = reloaded("rest");
    write("one");
    expect(await lastAtRest()).toBeUndefined();
    await later(async () => expect(await lastAtRest()).toBeUndefined());
    write("");
    expect([await text(), await lastAtRest()]).toEqual(["", "one"]);
    write("bad");
    expect(await text()).toBeUndefined();
    write("two");
    expect([await text(), await lastAtRest()]).toEqual(["two", "one"]);
    await later(async () => expect([await text(), await lastAtRest()]).toEqual(["two", undefined]));
  });

  it("fails to load where current says nothing", async () => {
    const { path, file, log } = reloaded("none");
    await expect(file.load()).rejects.toThrow(`test file ${path} cannot be used: there is no such file`);
    expect(log).toEqual([]);
  });
});
