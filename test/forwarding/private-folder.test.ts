import { existsSync, mkdtempSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PrivateFolder } from "../../src/forwarding/private-folder.js";

const isRoot = process.getuid?.() === 0;
const CONTENTS = Buffer.from("a cookie");

/** Where temporary files are during a test. */
let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "spindlex-"));
  vi.stubEnv("TMPDIR", parent);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(parent, { recursive: true });
});

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("a private folder", () => {
  it("is for its owner alone, as the files in it are, and is removed with them", async () => {
    const folder = await PrivateFolder.make("x-");
    const file = await folder.writeFile("file", CONTENTS);
    expect(await readFile(file)).toEqual(CONTENTS);
    expect([await modeOf(file), await modeOf(dirname(file))]).toEqual([0o600, 0o700]);
    folder.fileNamed("one that was never made");
    await folder.remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it("is not made where others could put another one in its place", async () => {
    await chmod(parent, 0o777);
    await expect(PrivateFolder.make("x-")).rejects.toThrow("others may rename files");
    await chmod(parent, 0o1777);
    await (await PrivateFolder.make("x-")).remove();
  });

  it("stays, and says so, where a program has put something into it", async () => {
    const folder = await PrivateFolder.make("x-");
    const file = await folder.writeFile("file", CONTENTS);
    await writeFile(join(dirname(file), "more"), "");
    await expect(folder.remove()).rejects.toThrow("ENOTEMPTY");
    expect(await readdir(dirname(file))).toEqual(["more"]);
  });
});

describe.skipIf(!isRoot)("a private folder that was given away", () => {
  const owner = { uid: 4000, gid: 5000 };

  async function givenAway() {
    const folder = await PrivateFolder.make("x-");
    const file = await folder.writeFile("file", CONTENTS);
    await folder.giveTo(owner);
    return { folder, path: dirname(file) };
  }

  it("is removed, whatever its mode is by now", async () => {
    const { folder, path } = await givenAway();
    expect(await stat(path)).toMatchObject(owner);
    await chmod(path, 0o777);
    await folder.remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it.each(["a link", "another folder"])("removes nothing elsewhere: %s is in its place", async (what) => {
    const { folder, path } = await givenAway();
    const victim = join(parent, "victim");
    await mkdir(victim);
    await writeFile(join(victim, "file"), "precious");
    const before = await stat(victim);
    await rename(path, `${path}.away`);
    if (what === "a link") await symlink(victim, path);
    else await rename(victim, path);
    await expect(folder.remove()).rejects.toThrow(what === "a link" ? /ELOOP|ENOTDIR/ : "another folder now");
    expect(await readFile(join(path, "file"), "utf8")).toBe("precious");
    expect(await stat(path)).toMatchObject({ uid: before.uid, gid: before.gid, mode: before.mode });
    expect(existsSync(`${path}.away`)).toBe(true);
  });
});
