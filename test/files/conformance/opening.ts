import { beforeEach, describe, expect, it } from "vitest";
import { type Drive, expectFailure, expectLinkInPath } from "./drive.js";

const WRITABLE = ["write", "read write", "write append", "read write append"];
const CREATION = ["", "create", "create exclusive", "create truncate", "create truncate exclusive", "truncate"];
const ALL_FLAGS = [
  "read",
  "read create",
  "read create exclusive",
  ...WRITABLE.flatMap((access) => CREATION.map((creation) => `${access} ${creation}`.trim())),
];

/** What the flags of `open` do (draft-ietf-secsh-filexfer-02 §6.3). */
export function describeOpening(drive: () => Drive): void {
  describe("open", () => {
    beforeEach(async () => {
      await drive().write("/file", "before");
      await drive().mkdir("/directory");
      await drive().symlink("file", "/link");
      await drive().symlink("missing", "/dangling");
    });

    describe.each(ALL_FLAGS)("with %s", (flags) => {
      const has = (flag: string) => flags.split(" ").includes(flag);

      it("opens or makes a file, and then reads and writes as asked", async () => {
        const state = has("create") ? "made" : "missing";
        if (state === "missing") await expectFailure("ENOENT", () => drive().open("/new", flags));
        else await expectAccess(drive(), "/new", flags, "");
        expect((await drive().list("/")).includes("new")).toBe(state === "made");
      });

      it("opens a file that is there, unless it is to be new", async () => {
        if (has("exclusive")) {
          await expectFailure("EEXIST", () => drive().open("/file", flags));
          expect((await drive().read("/file")).toString()).toBe("before");
        } else {
          await expectAccess(drive(), "/file", flags, has("truncate") ? "" : "before");
        }
      });

      it("opens no directory", async () => {
        const failure = has("exclusive") ? "EEXIST" : "EISDIR";
        await expectFailure(failure, () => drive().open("/directory", flags));
        await expectFailure(failure, () => drive().open("/", flags));
      });

      it("follows no link", async () => {
        for (const path of ["/link", "/dangling"]) {
          if (has("exclusive")) await expectFailure("EEXIST", () => drive().open(path, flags));
          else await expectLinkInPath(() => drive().open(path, flags));
        }
        expect((await drive().read("/file")).toString()).toBe("before");
        expect(await drive().list("/")).toEqual(["dangling", "directory", "file", "link"]);
      });
    });

    it("needs the directory of a new file", async () => {
      await drive().symlink("directory", "/directory-link");
      await expectFailure("ENOENT", () => drive().open("/missing/new", "write create"));
      await expectFailure("ENOTDIR", () => drive().open("/file/new", "write create"));
      await expectLinkInPath(() => drive().open("/directory-link/new", "write create"));
      await expectLinkInPath(() => drive().open("/directory-link/new", "write create exclusive"));
      expect(await drive().list("/directory")).toEqual([]);
    });

    it("gives a new file the permissions that were asked for, less the umask", async () => {
      for (const [asked, given] of [
        [0o600, 0o600],
        [0o777, 0o755],
        [0o666, 0o644],
        [0o400, 0o400],
      ] as const) {
        const path = `/${asked.toString(8)}`;
        const file = await drive().open(path, "write create", asked);
        await file.write("content", 0);
        expect((await file.stat()).permissions).toBe(given);
        expect((await drive().lstat(path)).permissions).toBe(given);
      }
      await drive().open("/default", "write create");
      expect((await drive().lstat("/default")).permissions).toBe(0o644);
    });

    it("leaves the permissions of a file that was there", async () => {
      await drive().setstat("/file", { permissions: 0o640 });
      await drive().open("/file", "write create truncate", 0o600);
      expect((await drive().lstat("/file")).permissions).toBe(0o640);
    });
  });
}

/** Expects what a handle with these flags can do with a file, and how it then is. */
async function expectAccess(drive: Drive, path: string, flags: string, content: string): Promise<void> {
  const file = await drive.open(path, flags);
  const words = flags.split(" ");
  if (words.includes("read")) expect((await file.read(100, 0)).toString()).toBe(content);
  else await expectFailure("EBADF", () => file.read(100, 0));
  if (!words.includes("write")) {
    await expectFailure("EBADF", () => file.write("12", 1));
  } else {
    await file.write("12", 1);
    content = words.includes("append") ? `${content}12` : `${content.slice(0, 1).padEnd(1, "\0")}12${content.slice(3)}`;
  }
  expect((await file.stat()).size).toBe(content.length);
  await file.close();
  expect((await drive.read(path)).toString()).toBe(content);
}
