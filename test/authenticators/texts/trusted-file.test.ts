import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTrustedFile, UntrustedFileError } from "../../../src/authenticators/texts/trusted-file.js";
import { temporaryFolder } from "../../support/tools.js";

const STRANGER = 54_321;
const isRoot = process.getuid?.() === 0;
const strict = { limit: 1000, strictModes: "on" } as const;
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

describe("readTrustedFile", () => {
  it("reads what only its owner can write", async () => {
    for (const mode of [0o600, 0o644, 0o444]) {
      expect(await readTrustedFile(file(join(folder(), "keys"), mode), strict)).toBe("text");
    }
  });

  it("finds nothing where there is nothing", async () => {
    expect(await readTrustedFile(join(folder(), "keys"), strict)).toBeUndefined();
    expect(await readTrustedFile(join(file(join(folder(), "file")), "keys"), strict)).toBeUndefined();
  });

  it.each([0o664, 0o646, 0o602, 0o666])("refuses a file of mode %o", async (mode) => {
    const path = file(join(folder(), "keys"), mode);
    await expect(readTrustedFile(path, strict)).rejects.toThrow(/^other users can write it \(mode 06/);
    expect(await readTrustedFile(path, { ...strict, strictModes: "off" })).toBe("text");
  });

  it.each([0o775, 0o757, 0o777])("refuses a file in a folder of mode %o, however far above", async (mode) => {
    const above = folder(mode);
    mkdirSync(join(above, "a/b"), { recursive: true });
    const path = file(join(above, "a/b/keys"));
    await expect(readTrustedFile(path, strict)).rejects.toThrow(UntrustedFileError);
    await expect(readTrustedFile(path, strict)).rejects.toThrow(
      /other users can write the folder .*folder-\d+ \(mode 0/,
    );
    expect(await readTrustedFile(path, { ...strict, strictModes: "off" })).toBe("text");
    chmodSync(above, 0o1777);
    expect(await readTrustedFile(path, strict)).toBe("text");
  });

  it("checks the folders that a link leads to", async () => {
    const [open, closed] = [folder(0o777), folder()];
    symlinkSync(file(join(open, "keys")), join(closed, "link"));
    await expect(readTrustedFile(join(closed, "link"), strict)).rejects.toThrow(UntrustedFileError);
    symlinkSync(file(join(closed, "keys")), join(closed, "good"));
    expect(await readTrustedFile(join(closed, "good"), strict)).toBe("text");
  });

  it.runIf(isRoot)("refuses what belongs to another user, unless it is the one that it should belong to", async () => {
    const path = file(join(folder(), "keys"));
    chownSync(path, STRANGER, 0);
    await expect(readTrustedFile(path, strict)).rejects.toThrow(`it belongs to another user (${STRANGER})`);
    expect(await readTrustedFile(path, { ...strict, owner: STRANGER })).toBe("text");
    await expect(readTrustedFile(path, { ...strict, owner: STRANGER + 1 })).rejects.toThrow(UntrustedFileError);

    const foreign = folder();
    const inside = file(join(foreign, "keys"));
    chownSync(foreign, STRANGER, 0);
    await expect(readTrustedFile(inside, strict)).rejects.toThrow(/the folder .* belongs to another user/);
    expect(await readTrustedFile(inside, { ...strict, owner: STRANGER })).toBe("text");
  });

  it("waits for no pipe, and reads nothing but files", async () => {
    const pipe = join(folder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, folder(), "/dev/zero"]) {
      await expect(readTrustedFile(path, { ...strict, strictModes: "off" })).rejects.toThrow(
        "it is not a regular file",
      );
    }
  });

  it("reads no more than the limit", async () => {
    const path = file(join(folder(), "keys"), 0o600, "x".repeat(1000));
    expect(await readTrustedFile(path, strict)).toHaveLength(1000);
    await expect(readTrustedFile(path, { ...strict, limit: 999 })).rejects.toThrow("it is larger than 999 bytes");
  });

  it("sees each time what is there", async () => {
    const [path, other] = [join(folder(), "keys"), join(folder(), "keys")];
    file(path, 0o600, "one");
    expect(await readTrustedFile(path, strict)).toBe("one");
    file(other, 0o600, "two");
    renameSync(other, path);
    expect(await readTrustedFile(path, strict)).toBe("two");
  });
});
