import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { AccessGuard } from "../../src/files/access-guard.js";
import { allowAll } from "../../src/files/access-policy.js";
import type { FileHandle, FileSystem, OpenOptions } from "../../src/files/file-system.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { LocalFileSystem } from "../../src/files/local/local-file-system.js";
import { FOR_READING } from "../../src/files/open-options.js";
import { openPromptly } from "../../src/files/prompt-open.js";

const root = mkdtempSync(join(tmpdir(), "prompt-open-"));
writeFileSync(join(root, "file"), "content");
symlinkSync("file", join(root, "link"));
afterAll(() => rmSync(root, { recursive: true }));

function guarded(fileSystem: FileSystem): GuardedFileSystem {
  return new GuardedFileSystem(fileSystem, new AccessGuard(allowAll), "/");
}

async function isOpen(handle: FileHandle): Promise<boolean> {
  const length = await handle.read?.(Buffer.alloc(10), 0);
  await handle.close?.({ result: "completed" });
  return length === "content".length;
}

describe("openPromptly", () => {
  it("opens as open does, for which there is nothing else", async () => {
    const local = new LocalFileSystem(root);
    for (const open of [() => local.open("/file", FOR_READING), () => openPromptly(local, "/file", FOR_READING)]) {
      expect(await isOpen(await open())).toBe(true);
    }
    const missing = local.open("/missing", FOR_READING);
    expect(missing).toBeInstanceOf(Promise);
    await expect(missing).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("goes around no open that somebody has made of it", async () => {
    const asked: string[] = [];
    class Watched extends LocalFileSystem {
      override async open(path: string, options: OpenOptions): Promise<FileHandle> {
        asked.push(path);
        return super.open(path, options);
      }
    }
    const borrowed: FileSystem = { open: LocalFileSystem.prototype.open };
    const tree = guarded(new Watched(root));
    expect(await isOpen((await tree.openPromptly("file", FOR_READING)).handle)).toBe(true);
    expect(await isOpen((await tree.open("file", FOR_READING)).handle)).toBe(true);
    expect(asked).toEqual(["/file", "/file"]);
    expect(() => openPromptly(borrowed, "/file", FOR_READING)).toThrow(TypeError);
  });

  it("says what a file system cannot", () => {
    expect(() => openPromptly({}, "/file", FOR_READING)).toThrow(expect.objectContaining({ code: "ENOTSUP" }));
  });
});

describe("a guarded file system that nobody is asked about", () => {
  it.runIf(process.platform === "linux")("opens at once on a disk of this machine, and links later", async () => {
    const tree = guarded(new LocalFileSystem(root));
    await (await tree.open("/file", FOR_READING)).handle.close?.({ result: "completed" });
    const opened = tree.openPromptly("/file", FOR_READING);
    const link = tree.openPromptly("/link", FOR_READING);
    if (opened instanceof Promise) {
      // A machine that is busy makes a quick call look slow; then it is made in a thread.
      expect(await isOpen((await opened).handle)).toBe(true);
    } else {
      expect(opened.path).toBe("/file");
      expect(await isOpen(opened.handle)).toBe(true);
    }
    expect(await link).toMatchObject({ path: "/file" });
    expect(await isOpen((await link).handle)).toBe(true);
  });
});
