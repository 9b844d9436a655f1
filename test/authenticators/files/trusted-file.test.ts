import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import {
  readTrustedFile,
  TrustedFile,
  type TrustedFileOptions,
} from "../../../src/authenticators/files/trusted-file.js";
import { UserFileError } from "../../../src/authenticators/files/user-file-error.js";
import { temporaryFolder } from "../../support/tools.js";

const STRANGER = 54_321;
const isRoot = process.getuid?.() === 0;
const strict = { maxFileSize: 1000, strictModes: true } as const;
const parent = temporaryFolder();

let folders = 0;

function folder(mode = 0o755): string {
  const path = join(parent, `folder-${folders++}`);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

function file(path: string, mode = 0o644, text = "text"): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function read(path: string, options: TrustedFileOptions): Promise<string | undefined> {
  return (await readTrustedFile(path, options))?.toString();
}

describe("readTrustedFile", () => {
  it("reads what only its owner can write", async () => {
    for (const mode of [0o600, 0o644, 0o444]) {
      expect(await read(file(join(folder(), "keys"), mode), strict)).toBe("text");
    }
  });

  it("finds nothing where there is nothing", async () => {
    expect(await read(join(folder(), "keys"), strict)).toBeUndefined();
    expect(await read(join(file(join(folder(), "file")), "keys"), strict)).toBeUndefined();
  });

  it.each([0o664, 0o646, 0o602, 0o666])("refuses a file of mode %o", async (mode) => {
    const path = file(join(folder(), "keys"), mode);
    await expect(read(path, strict)).rejects.toThrow(/^other users can write it \(mode 06/);
    expect(await read(path, { ...strict, strictModes: false })).toBe("text");
  });

  it.each([0o775, 0o757, 0o777])("refuses a file in a folder of mode %o, however far above", async (mode) => {
    const above = folder(mode);
    mkdirSync(join(above, "a/b"), { recursive: true });
    const path = file(join(above, "a/b/keys"));
    await expect(read(path, strict)).rejects.toThrow(UserFileError);
    await expect(read(path, strict)).rejects.toThrow(/other users can write the folder .*folder-\d+ \(mode 0/);
    expect(await read(path, { ...strict, strictModes: false })).toBe("text");
    chmodSync(above, 0o1777);
    expect(await read(path, strict)).toBe("text");
  });

  it("tells all that is wrong at once", async () => {
    const above = folder(0o775);
    const keys = join(above, "keys");
    mkdirSync(keys);
    chmodSync(keys, 0o777);
    const wrong = `^other users can write it .*; other users can write the folder ${keys} .*; .* the folder ${above} `;
    await expect(read(file(join(keys, "ann"), 0o666), strict)).rejects.toThrow(new RegExp(wrong));
  });

  it("checks the folders that a link leads to", async () => {
    const [open, closed] = [folder(0o777), folder()];
    symlinkSync(file(join(open, "keys")), join(closed, "link"));
    await expect(read(join(closed, "link"), strict)).rejects.toThrow(UserFileError);
    symlinkSync(file(join(closed, "keys")), join(closed, "good"));
    expect(await read(join(closed, "good"), strict)).toBe("text");
  });

  it.runIf(isRoot)("refuses what belongs to another user, unless it is the one that it should belong to", async () => {
    const path = file(join(folder(), "keys"));
    chownSync(path, STRANGER, 0);
    await expect(read(path, strict)).rejects.toThrow(`it belongs to another user (${STRANGER})`);
    expect(await read(path, { ...strict, owner: STRANGER })).toBe("text");
    await expect(read(path, { ...strict, owner: STRANGER + 1 })).rejects.toThrow(UserFileError);

    const foreign = folder();
    const inside = file(join(foreign, "keys"));
    chownSync(foreign, STRANGER, 0);
    await expect(read(inside, strict)).rejects.toThrow(/the folder .* belongs to another user/);
    expect(await read(inside, { ...strict, owner: STRANGER })).toBe("text");
  });

  it("waits for no pipe, and reads nothing but files", async () => {
    const pipe = join(folder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, folder(), "/dev/zero"]) {
      await expect(read(path, { ...strict, strictModes: false })).rejects.toThrow("it is not a regular file");
    }
  });

  it("says why something cannot be read", async () => {
    const loop = join(folder(), "loop");
    symlinkSync(loop, loop);
    await expect(read(loop, strict)).rejects.toThrow(/^it cannot be read: ELOOP/);
    await expect(read(loop, strict)).rejects.toThrow(UserFileError);
  });

  it.each([0o640, 0o604, 0o644])("refuses a private file of mode %o", async (mode) => {
    const path = file(join(folder(), "users"), mode);
    await expect(read(path, { ...strict, secrecy: "private" })).rejects.toThrow("it is open to other users");
    expect(await read(path, { ...strict, secrecy: "private", strictModes: false })).toBe("text");
    chmodSync(path, 0o600);
    expect(await read(path, { ...strict, secrecy: "private" })).toBe("text");
  });

  it("reads no more than the limit", async () => {
    const path = file(join(folder(), "keys"), 0o600, "x".repeat(1000));
    expect(await read(path, strict)).toHaveLength(1000);
    await expect(read(path, { ...strict, maxFileSize: 999 })).rejects.toThrow("it is larger than 999 bytes");
  });

  it("sees each time what is there", async () => {
    const [path, other] = [join(folder(), "keys"), join(folder(), "keys")];
    file(path, 0o600, "one");
    expect(await read(path, strict)).toBe("one");
    file(other, 0o600, "two");
    renameSync(other, path);
    expect(await read(path, strict)).toBe("two");
  });
});

describe("TrustedFile", () => {
  async function open(path: string): Promise<TrustedFile> {
    const opened = await TrustedFile.open(path, strict);
    if (opened === undefined) throw new Error("there is no file");
    return opened;
  }

  async function versionOf(path: string): Promise<TrustedFile["version"]> {
    const opened = await open(path);
    await opened.close();
    return opened.version;
  }

  it("refuses what changes while it is read", async () => {
    const path = file(join(folder(), "keys"));
    const opened = await open(path);
    writeFileSync(path, "longer than before");
    await expect(opened.read()).rejects.toThrow("it changes while it is read");
    await opened.close();
  });

  it("tells one version from the next, whatever its times say", async () => {
    const path = file(join(folder(), "keys"));
    const marks = new Set<string>();
    for (const change of [
      () => undefined,
      () => utimesSync(path, 1, 1),
      () => chmodSync(path, 0o600),
      () => renameSync(file(`${path}.next`), path),
    ]) {
      change();
      marks.add((await versionOf(path)).mark);
    }
    expect(marks.size).toBe(4);
    expect(marks).toContain((await versionOf(path)).mark);
  });

  it.each([
    [0, true],
    [10_000, false],
    [-10_000, true],
  ])("calls a file fresh or not, %d milliseconds after its change", async (milliseconds, fresh) => {
    const path = file(join(folder(), "keys"));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
    try {
      expect((await versionOf(path)).fresh).toBe(fresh);
    } finally {
      vi.useRealTimers();
    }
  });
});
