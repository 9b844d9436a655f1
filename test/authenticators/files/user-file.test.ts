import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readUserFile } from "../../../src/authenticators/files/user-file.js";
import { UserFileError } from "../../../src/authenticators/files/user-file-error.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-user-file-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const file = (path: string) => ({ kind: "test file", path, secrecy: "private", reading: "again" }) as const;

describe("readUserFile", () => {
  it("reads a file that is its owner's alone", async () => {
    expect(await readUserFile(file(write("private", "täxt\n")))).toMatchObject({ text: "täxt\n" });
  });

  it.each([
    [0o640, "open to other users"],
    [0o604, "open to other users"],
    [0o620, "can be written by other users"],
  ])("refuses a private file with mode %o", async (mode, reason) => {
    const reading = readUserFile(file(write(mode.toString(8), "text", mode)));
    await expect(reading).rejects.toThrow(reason);
    await expect(reading).rejects.toThrow(UserFileError);
  });

  it("lets others read what is public, and not write it", async () => {
    const read = (mode: number) => readUserFile({ ...file(write("public", "text", mode)), secrecy: "public" });
    expect(await read(0o644)).toMatchObject({ text: "text" });
    await expect(read(0o664)).rejects.toThrow("can be written by other users");
  });

  it("says why there is nothing to read", async () => {
    await expect(readUserFile(file(join(folder, "none")))).rejects.toThrow(/^test file .*none cannot be read: ENOENT/);
    await expect(readUserFile(file(folder))).rejects.toThrow(`test file ${folder} is not a regular file`);
    await expect(readUserFile({ ...file(folder), reading: "once" })).rejects.toThrow("EISDIR");
    const loop = join(folder, "loop");
    symlinkSync(loop, loop);
    await expect(readUserFile(file(loop))).rejects.toThrow("ELOOP");
  });

  it("does not wait for a pipe that nobody writes to", async () => {
    const pipe = join(folder, "pipe");
    spawnSync("mkfifo", ["-m", "600", pipe]);
    await expect(readUserFile(file(pipe))).rejects.toThrow("is not a regular file");
  });

  it("reads a pipe once", async () => {
    const pipe = join(folder, "pipe-once");
    spawnSync("mkfifo", ["-m", "600", pipe]);
    const [read] = await Promise.all([
      readUserFile({ ...file(pipe), reading: "once" }),
      import("node:fs/promises").then(({ writeFile }) => writeFile(pipe, "from a pipe")),
    ]);
    expect(read?.text).toBe("from a pipe");
  });

  it("reads no file that is far too long", async () => {
    const path = write("long", "");
    truncateSync(path, 16 * 1024 * 1024 + 1);
    await expect(readUserFile(file(path))).rejects.toThrow("is over 16777216 bytes long");
  });

  it("does not read again what has not changed", async () => {
    const path = write("unchanged", "one");
    vi.setSystemTime(Date.now() + 10_000);
    try {
      const first = await readUserFile(file(path));
      expect(first?.version).toBeDefined();
      expect(await readUserFile(file(path), first?.version)).toBeUndefined();
      utimesSync(path, 1, 1);
      expect(await readUserFile(file(path), first?.version)).toMatchObject({ text: "one" });
      chmodSync(path, 0o644);
      await expect(readUserFile(file(path), first?.version)).rejects.toThrow("open to other users");
    } finally {
      vi.useRealTimers();
    }
  });

  it("takes no file for unchanged that could have changed since within the same tick of the clock", async () => {
    expect(await readUserFile(file(write("new", "one")))).toEqual({ text: "one" });
  });
});
