import { describe, expect, it } from "vitest";
import { AccessGuard } from "../../src/files/access-guard.js";
import type { AccessMode, AccessPolicy } from "../../src/files/access-policy.js";
import type { FileSystem, OpenOptions } from "../../src/files/file-system.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { openOptions } from "./conformance/drive.js";

/** Allows everything unless told otherwise, and notes what it was asked. */
class TestPolicy implements AccessPolicy {
  readonly asked: string[] = [];
  decide: (question: string) => unknown = () => true;
  filePermissions: number | undefined;
  directoryPermissions: number | undefined;

  checkFileAccess(path: string, mode: AccessMode): boolean {
    return this.#ask(`file ${path} ${mode}`);
  }

  checkDirectoryAccess(path: string, mode: AccessMode): boolean {
    return this.#ask(`directory ${path} ${mode}`);
  }

  getFilePermissions(path: string): number | undefined {
    this.asked.push(`permissions of file ${path}`);
    return this.filePermissions;
  }

  getDirectoryPermissions(path: string): number | undefined {
    this.asked.push(`permissions of directory ${path}`);
    return this.directoryPermissions;
  }

  #ask(question: string): boolean {
    this.asked.push(question);
    // A program in JavaScript may return anything.
    return this.decide(question) as boolean;
  }
}

const SET = { times: { accessTime: 1, modifyTime: 2 } };

function setUp(startDirectory = "/") {
  const files = MemoryFileSystem.from({ "/a/file": "content", "/b/other": "other" });
  files.symlink("/a", "/link");
  files.symlink("file", "/a/last");
  const calls: string[] = [];
  // Each call of a method that changes something is noted.
  const recorded: FileSystem = new Proxy(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...parameters: unknown[]): unknown => {
        if (!["lstat", "readlink"].includes(String(name))) calls.push(`${String(name)} ${parameters.slice(0, 2)}`);
        return Reflect.apply(method, target, parameters);
      };
    },
  });
  const policy = new TestPolicy();
  return { files, calls, policy, tree: new GuardedFileSystem(recorded, new AccessGuard(policy), startDirectory) };
}

type Tree = GuardedFileSystem;
const denied = expect.objectContaining({ code: "EACCES", message: "Permission denied" });

const requests: readonly (readonly [what: string, run: (tree: Tree) => Promise<unknown>, asked: readonly string[]])[] =
  [
    ["open to read", (tree) => tree.open("/a/file", openOptions("read")), ["file /a/file r"]],
    ["open to write", (tree) => tree.open("/a/file", openOptions("write truncate")), ["file /a/file w"]],
    ["open for both", (tree) => tree.open("/a/file", openOptions("read write")), ["file /a/file r", "file /a/file w"]],
    [
      "open to create",
      (tree) => tree.open("/a/new", openOptions("write create exclusive")),
      ["file /a/new w", "permissions of file /a/new"],
    ],
    [
      "open to read and create",
      (tree) => tree.open("/a/new", openOptions("read create")),
      ["file /a/new r", "file /a/new w", "permissions of file /a/new"],
    ],
    ["stat of a file", (tree) => tree.stat("/a/file", "follow"), ["file /a/file r"]],
    ["stat of a directory", (tree) => tree.stat("/a", "follow"), ["directory /a r"]],
    ["stat of a link", (tree) => tree.stat("/a/last", "keep"), ["file /a/last r"]],
    ["setstat of a file", (tree) => tree.setstat("/a/file", SET, "follow"), ["file /a/file w"]],
    ["setstat of a directory", (tree) => tree.setstat("/a", SET, "follow"), ["directory /a w"]],
    ["setstat of a link", (tree) => tree.setstat("/a/last", SET, "keep"), ["file /a/last w"]],
    [
      "chmod of a file",
      (tree) => tree.setstat("/a/file", { permissions: 0o600 }, "follow"),
      ["file /a/file w", "permissions of file /a/file"],
    ],
    [
      "chmod of a directory",
      (tree) => tree.setstat("/a", { permissions: 0o700 }, "follow"),
      ["directory /a w", "permissions of directory /a"],
    ],
    ["opendir", (tree) => tree.opendir("/a"), ["directory /a r"]],
    ["remove", (tree) => tree.remove("/a/file"), ["file /a/file w"]],
    ["remove of a link", (tree) => tree.remove("/a/last"), ["file /a/last w"]],
    ["mkdir", (tree) => tree.mkdir("/a/new"), ["directory /a/new w", "permissions of directory /a/new"]],
    ["rmdir", (tree) => tree.rmdir("/b"), ["directory /b w"]],
    [
      "rename of a file",
      (tree) => tree.rename("/a/file", "/b/new", "refuse"),
      ["file /a/file w", "file /b/new w", "file /a/file r"],
    ],
    [
      "rename of a directory",
      (tree) => tree.rename("/b", "/new", "refuse"),
      ["directory /b w", "directory /new w", "directory /b r"],
    ],
    [
      "rename over a file",
      (tree) => tree.rename("/a/file", "/b/other", "replace"),
      ["file /a/file w", "file /b/other w", "file /a/file r"],
    ],
    ["readlink", (tree) => tree.readlink("/a/last"), ["file /a/last r"]],
    ["symlink", (tree) => tree.symlink("/anywhere", "/a/new"), ["file /a/new w"]],
    ["hardlink", (tree) => tree.hardlink("/a/file", "/b/new"), ["file /a/file r", "file /a/file w", "file /b/new w"]],
    ["statvfs of a directory", (tree) => tree.statvfs("/a"), ["directory /a r"]],
    ["statvfs of a file", (tree) => tree.statvfs("/a/file"), ["file /a/file r"]],
  ];

describe("GuardedFileSystem", () => {
  it.each(requests)("%s: asks the policy", async (_, run, asked) => {
    const { tree, policy } = setUp();
    await run(tree).catch((error: unknown) => {
      // /b is not empty.
      expect(error).toMatchObject({ message: "Directory not empty" });
    });
    expect(policy.asked).toEqual(asked);
  });

  it.each(requests)("%s: does nothing before each question is answered with yes", async (_, run, asked) => {
    for (const question of asked.filter((text) => !text.startsWith("permissions"))) {
      const { tree, policy, calls } = setUp();
      policy.decide = (text) => text !== question;
      await expect(run(tree)).rejects.toEqual(denied);
      expect(calls).toEqual([]);
    }
  });

  it.each([
    ["a truthy value", 1],
    ["a text", "true"],
    ["an object", {}],
    ["undefined", undefined],
    ["null", null],
    ["false", false],
    ["a promise of false", Promise.resolve(false)],
    ["a promise of a truthy value", Promise.resolve(1)],
    ["a promise of nothing", Promise.resolve()],
  ])("%s does not allow", async (_, decision) => {
    for (const [, run] of requests) {
      const { tree, policy, calls } = setUp();
      policy.decide = () => decision;
      await expect(run(tree)).rejects.toEqual(denied);
      expect(calls).toEqual([]);
    }
  });

  it("a promise of true allows", async () => {
    const { tree, policy } = setUp();
    policy.decide = () => Promise.resolve(true);
    expect(await tree.readlink("/a/last")).toBe("file");
  });

  it("a policy that throws or rejects refuses", async () => {
    for (const [, run] of requests) {
      for (const decide of [
        () => {
          throw new Error("broken");
        },
        () => Promise.reject(new Error("broken")),
      ]) {
        const { tree, policy, calls } = setUp();
        policy.decide = decide;
        await expect(run(tree)).rejects.toThrow("broken");
        expect(calls).toEqual([]);
      }
    }
  });

  it("a policy that fails to give permissions refuses", async () => {
    const { tree, policy, calls } = setUp();
    policy.getFilePermissions = () => {
      throw new Error("broken");
    };
    policy.getDirectoryPermissions = () => {
      throw new Error("broken");
    };
    await expect(tree.open("/a/new", openOptions("write create"))).rejects.toThrow("broken");
    await expect(tree.mkdir("/a/new")).rejects.toThrow("broken");
    await expect(tree.setstat("/a/file", { permissions: 0o600 }, "follow")).rejects.toThrow("broken");
    await expect(tree.setstat("/a", { permissions: 0o600 }, "follow")).rejects.toThrow("broken");
    expect(calls).toEqual([]);
  });

  const behindLinks: readonly (readonly [what: string, run: (tree: Tree) => Promise<unknown>, question: string])[] = [
    ["open", (tree) => tree.open("/link/last", openOptions("read")), "file /a/file r"],
    ["open to write", (tree) => tree.open("/link/last", openOptions("write create")), "file /a/file w"],
    ["open to create", (tree) => tree.open("/link/new", openOptions("write create exclusive")), "file /a/new w"],
    ["stat", (tree) => tree.stat("/link/last", "follow"), "file /a/file r"],
    ["lstat", (tree) => tree.stat("/link/last", "keep"), "file /a/last r"],
    ["setstat", (tree) => tree.setstat("/link/last", SET, "follow"), "file /a/file w"],
    ["opendir", (tree) => tree.opendir("/link"), "directory /a r"],
    ["remove", (tree) => tree.remove("/link/file"), "file /a/file w"],
    ["mkdir", (tree) => tree.mkdir("/link/new"), "directory /a/new w"],
    ["rmdir", (tree) => tree.rmdir("/link/none"), "directory /a/none w"],
    ["rename from", (tree) => tree.rename("/link/file", "/b/new", "refuse"), "file /a/file w"],
    ["rename to", (tree) => tree.rename("/b/other", "/link/new", "refuse"), "file /a/new w"],
    ["readlink", (tree) => tree.readlink("/link/last"), "file /a/last r"],
    ["symlink", (tree) => tree.symlink("x", "/link/new"), "file /a/new w"],
    ["hardlink from", (tree) => tree.hardlink("/link/file", "/b/new"), "file /a/file w"],
    ["hardlink to", (tree) => tree.hardlink("/b/other", "/link/new"), "file /a/new w"],
    ["statvfs", (tree) => tree.statvfs("/link/last"), "file /a/file r"],
  ];

  it.each(behindLinks)("%s behind links: what counts is where they lead to", async (_, run, question) => {
    const refusing = setUp();
    refusing.policy.decide = (text) => text !== question;
    await expect(run(refusing.tree)).rejects.toEqual(denied);
    expect(refusing.calls.filter((call) => !call.includes("/link"))).toEqual([]);

    // Whatever is said about the names of links, it is the file that may be used.
    const allowing = setUp();
    allowing.policy.decide = (text) => !text.includes("/link");
    const error: unknown = await run(allowing.tree).catch((reason: unknown) => reason);
    expect(error).not.toEqual(denied);
    expect(allowing.policy.asked).toContain(question);
  });

  it("renames what may not be read to where it may not be read either, and nowhere else", async () => {
    const { tree, policy } = setUp();
    policy.decide = (question) => !/^\w+ \/a.* r$/.test(question);
    await expect(tree.rename("/a/file", "/b/mine", "refuse")).rejects.toEqual(denied);
    await expect(tree.rename("/a/file", "/b/other", "replace")).rejects.toEqual(denied);
    await expect(tree.rename("/a", "/b/all", "refuse")).rejects.toEqual(denied);
    await tree.rename("/a/file", "/a/final", "refuse");
    await tree.rename("/b/other", "/a/other", "refuse");
  });

  it("does not tell what there is behind a refusal", async () => {
    for (const path of [
      "/a/file",
      "/a/none",
      "/a/none/x",
      "/a/file/x",
      "/a/none/../x",
      "/a/file/../x",
      "/in",
      "/out",
    ]) {
      const { tree, policy, files } = setUp();
      files.symlink("/a/none/x", "/in");
      files.symlink("a/file/x", "/out");
      policy.decide = (question) => !/^(file|directory) \/a\//.test(question);
      await expect(tree.open(path, openOptions("read")), path).rejects.toEqual(denied);
      await expect(tree.stat(path, "follow"), path).rejects.toEqual(denied);
      await expect(tree.locate(path), path).rejects.toEqual(denied);
      await expect(tree.opendir(`${path}/.`), path).rejects.toEqual(denied);
      if (!path.startsWith("/a")) continue;
      await expect(tree.stat(path, "keep"), path).rejects.toEqual(denied);
      await expect(tree.remove(path), path).rejects.toEqual(denied);
      await expect(tree.mkdir(path), path).rejects.toEqual(denied);
    }
  });

  it("gives what is made the permissions of the policy, or else those the client asks for", async () => {
    const { tree, policy, files } = setUp();
    const create: OpenOptions = { ...openOptions("write create"), permissions: 0o777 };
    await tree.open("/asked", create);
    await tree.mkdir("/asked-directory", 0o711);
    await tree.mkdir("/default-directory");
    policy.filePermissions = 0o600;
    policy.directoryPermissions = 0o700;
    await tree.open("/given", create);
    await tree.mkdir("/given-directory", 0o777);
    await tree.setstat("/a/file", { permissions: 0o777 }, "follow");
    await tree.setstat("/b", { permissions: 0o777 }, "follow");
    await tree.setstat("/b/other", SET, "follow");
    const modes = Object.fromEntries(
      [...files.readdir("/")].map(({ name, attributes }) => [name, attributes.permissions.toString(8)]),
    );
    expect(modes).toMatchObject({
      asked: "755",
      "asked-directory": "711",
      "default-directory": "755",
      given: "600",
      "given-directory": "700",
      b: "700",
    });
    expect(files.lstat("/a/file").permissions).toBe(0o600);
    expect(files.lstat("/b/other").permissions).toBe(0o644);
  });

  it("asks before a handle changes a file, and gives it the permissions of the policy", async () => {
    const { tree, policy, files } = setUp();
    const opened = await tree.open("/link/file", openOptions("read"));
    policy.asked.length = 0;
    policy.filePermissions = 0o640;
    await tree.fsetstat(opened, { permissions: 0o777 });
    expect(policy.asked).toEqual(["file /a/file w", "permissions of file /a/file"]);
    expect(files.lstat("/a/file").permissions).toBe(0o640);
    policy.decide = () => false;
    await expect(tree.fsetstat(opened, { permissions: 0o600 })).rejects.toEqual(denied);
    expect(files.lstat("/a/file").permissions).toBe(0o640);
  });

  it("opens with O_EXCL no file behind a link", async () => {
    const { tree } = setUp();
    await expect(tree.open("/a/last", openOptions("write create exclusive"))).rejects.toThrow("File exists");
    expect((await tree.open("/link/last", openOptions("read"))).path).toBe("/a/file");
  });

  it("starts relative paths where it is told to", async () => {
    const { tree, policy } = setUp("/a");
    await tree.stat("file", "follow");
    await tree.stat("../b/other", "follow");
    await tree.stat("", "follow");
    expect(policy.asked).toEqual(["file /a/file r", "file /b/other r", "directory /a r"]);
  });

  it("answers what a file system has no method for", async () => {
    const tree = new GuardedFileSystem({}, new AccessGuard(new TestPolicy()), "/");
    const unsupported = expect.objectContaining({ code: "ENOTSUP" });
    for (const [what, run] of requests) {
      await expect((async () => run(tree))(), what).rejects.toEqual(unsupported);
    }
    await expect(tree.fsetstat({ path: "/a", handle: {} }, SET)).rejects.toEqual(unsupported);
    expect(await tree.realpath("a/../b")).toBe("/b");
  });

  it("does not tell by REALPATH what is there and hidden", async () => {
    const { tree, policy, files } = setUp();
    policy.decide = (question) => !/^\w+ \/b\b/.test(question);
    for (const path of ["/b", "/b/other", "/b/missing", "/b/missing/too", "/b/other/below"]) {
      expect(await tree.realpath(path)).toBe(path);
    }
    expect(await tree.realpath("/link/../b/./other")).toBe("/b/other");
    expect(await tree.realpath("/link/last")).toBe("/a/file");
    for (const target of ["/b", "/b/other/x", "../b/missing/x"]) {
      files.symlink(target, `/a/${target.length}`);
      expect(await tree.realpath(`/a/${target.length}`)).toBe(`/a/${target.length}`);
    }
    expect(await tree.realpath("/a/missing")).toBe("/a/missing");
    await expect(tree.realpath("/a/missing/too")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("tells nothing by REALPATH where the policy fails", async () => {
    const { tree, policy } = setUp();
    policy.decide = () => {
      throw new Error("no rules");
    };
    for (const path of ["/b/other", "/b/missing"]) await expect(tree.realpath(path)).rejects.toThrow("no rules");
  });

  it("lists a directory only where lstat says it is one", async () => {
    const { tree } = setUp();
    await expect(tree.opendir("/a/file")).rejects.toThrow("Not a directory");
    await expect(tree.opendir("/a/last")).rejects.toThrow("Not a directory");
    await expect(tree.opendir("/none")).rejects.toThrow("No such file");
    expect((await tree.opendir("/link")).path).toBe("/a");
  });
});
