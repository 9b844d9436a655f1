import { describe, expect, it } from "vitest";
import type { AccessContext, AccessFunction } from "../../src/files/access-function.js";
import { AccessGuard } from "../../src/files/access-guard.js";
import { allowAll } from "../../src/files/access-policy.js";
import { type AccessRefusal, AccessRefusals } from "../../src/files/access-refusals.js";
import { FileError } from "../../src/files/errors.js";
import type { FileOperation } from "../../src/files/file-operation.js";
import { COMPLETED } from "../../src/files/file-outcome.js";
import type { FileSystem } from "../../src/files/file-system.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { openOptions } from "./conformance/drive.js";

type Tree = GuardedFileSystem;
type Decide = (operation: FileOperation, path: string, context: AccessContext) => unknown;

const TIMES = { times: { accessTime: 1, modifyTime: 2 } };
const LOOKING = ["lstat", "readlink"];

const denied = expect.objectContaining({ code: "EACCES", message: "Permission denied" });
const noSuchFile = expect.objectContaining({ code: "ENOENT", message: "No such file or directory" });

/** A tree whose guard asks a function, with all that it was asked, all that was then done, and what the log heard. */
function setUp(decide: Decide = () => true, hides?: (path: string) => boolean, policy = allowAll) {
  const files = MemoryFileSystem.from({ "/a/file": "content", "/b/other": "other", "/c/.keep": "" });
  files.symlink("/a", "/link");
  files.symlink("file", "/a/last");
  files.mkdir("/empty", 0o755);
  const calls: string[] = [];
  const recorded: FileSystem = new Proxy(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...parameters: unknown[]): unknown => {
        if (!LOOKING.includes(String(name))) calls.push(`${String(name)} ${parameters[0]}`);
        return Reflect.apply(method, target, parameters);
      };
    },
  });
  const asked: string[] = [];
  const access: AccessFunction = Object.assign((operation: FileOperation, path: string, context: AccessContext) => {
    asked.push(`${operation} ${path}${context.to === undefined ? "" : ` to ${context.to}`}`);
    // A program in JavaScript may return anything.
    return decide(operation, path, context) as boolean;
  }, hides && { hides });
  const refused: AccessRefusal[] = [];
  const failed: unknown[] = [];
  const refusals = new (class extends AccessRefusals {
    override refused(refusal: AccessRefusal): void {
      refused.push(refusal);
    }
    override failed(error: unknown): void {
      failed.push(error);
    }
  })(undefined as never);
  const connection = { username: "ann" };
  const guard = new AccessGuard(policy, { decide: access, connection }, refusals);
  const tree = new GuardedFileSystem(recorded, guard, "/");
  return { files, recorded, calls, asked, refused, failed, tree };
}

/** What is asked about a file before it gets another name, where all is allowed under the old one. */
const content = (path: string) =>
  ["read", "overwrite", "append", "attributes", "delete"].map((more) => `${more} ${path}`);

const requests: readonly (readonly [what: string, run: (tree: Tree) => Promise<unknown>, asked: readonly string[]])[] =
  [
    ["open to read", (tree) => tree.open("/a/file", openOptions("read")), ["read /a/file"]],
    ["open to write", (tree) => tree.open("/a/file", openOptions("write")), ["overwrite /a/file"]],
    ["open to empty", (tree) => tree.open("/a/file", openOptions("write truncate")), ["overwrite /a/file"]],
    ["open for both", (tree) => tree.open("/a/file", openOptions("read write")), ["read /a/file", "overwrite /a/file"]],
    ["open to append", (tree) => tree.open("/a/file", openOptions("write append")), ["append /a/file"]],
    [
      "open to append to an emptied file",
      (tree) => tree.open("/a/file", openOptions("write append truncate")),
      ["overwrite /a/file"],
    ],
    ["open to create", (tree) => tree.open("/a/new", openOptions("write create")), ["create /a/new"]],
    [
      "open to create with append",
      (tree) => tree.open("/a/new", openOptions("write append create")),
      ["create /a/new"],
    ],
    ["open to create alone", (tree) => tree.open("/a/new", openOptions("write create exclusive")), ["create /a/new"]],
    [
      "open to read and create",
      (tree) => tree.open("/a/new", openOptions("read create")),
      ["read /a/new", "create /a/new"],
    ],
    [
      "open to create what is there",
      (tree) => tree.open("/a/file", openOptions("write create truncate")),
      ["overwrite /a/file"],
    ],
    [
      "open to create what is there, with append",
      (tree) => tree.open("/a/file", openOptions("write append create")),
      ["append /a/file"],
    ],
    ["stat of a file", (tree) => tree.stat("/a/file", "follow"), ["stat /a/file"]],
    ["stat of a directory", (tree) => tree.stat("/a", "follow"), ["stat /a"]],
    ["lstat of a link", (tree) => tree.stat("/a/last", "keep"), ["stat /a/last"]],
    ["locate", (tree) => tree.locate("/a/file"), ["stat /a/file"]],
    ["readlink", (tree) => tree.readlink("/a/last"), ["stat /a/last"]],
    ["statvfs", (tree) => tree.statvfs("/a"), ["stat /a"]],
    ["opendir", (tree) => tree.opendir("/a"), ["list /a"]],
    ["utimes", (tree) => tree.setstat("/a/file", TIMES, "follow"), ["attributes /a/file"]],
    ["chmod", (tree) => tree.setstat("/a", { permissions: 0o700 }, "follow"), ["attributes /a"]],
    ["truncate", (tree) => tree.setstat("/a/file", { size: 0 }, "follow"), ["overwrite /a/file"]],
    [
      "all attributes",
      (tree) => tree.setstat("/a/file", { size: 0, ...TIMES }, "follow"),
      ["overwrite /a/file", "attributes /a/file"],
    ],
    ["remove", (tree) => tree.remove("/a/file"), ["delete /a/file"]],
    ["remove of a link", (tree) => tree.remove("/a/last"), ["delete /a/last"]],
    ["mkdir", (tree) => tree.mkdir("/a/new"), ["makeDirectory /a/new"]],
    ["rmdir", (tree) => tree.rmdir("/empty"), ["removeDirectory /empty"]],
    ["symlink", (tree) => tree.symlink("/anywhere", "/a/new"), ["symlink /a/new"]],
    [
      "hardlink",
      (tree) => tree.hardlink("/a/file", "/b/new"),
      ["hardlink /a/file to /b/new", "hardlink /b/new", ...content("/a/file").slice(0, -1)],
    ],
    [
      "rename",
      (tree) => tree.rename("/a/file", "/b/new", "refuse"),
      ["rename /a/file to /b/new", "rename /b/new", ...content("/a/file")],
    ],
    [
      "rename of a directory",
      (tree) => tree.rename("/a", "/b/new", "refuse"),
      ["rename /a to /b/new", "rename /b/new", "list /a", "attributes /a", "removeDirectory /a"],
    ],
    [
      "posix-rename over a file",
      (tree) => tree.rename("/a/file", "/b/other", "replace"),
      ["rename /a/file to /b/other", "rename /b/other", ...content("/a/file"), "overwrite /b/other"],
    ],
    [
      "posix-rename over a directory",
      (tree) => tree.rename("/b", "/empty", "replace"),
      [
        "rename /b to /empty",
        "rename /empty",
        "list /b",
        "attributes /b",
        "removeDirectory /b",
        "removeDirectory /empty",
      ],
    ],
  ];

/** Questions whose answer no decides nothing as long as it is the same for both names. */
const isProbe = (question: string, asked: readonly string[]) =>
  asked.some((other) => / to /.test(other)) &&
  !/^(rename|hardlink)/.test(question) &&
  !["overwrite /b/other", "removeDirectory /empty"].includes(question);

describe("access by operation", () => {
  it.each(requests)("%s: is asked about, and done", async (_, run, asked) => {
    const test = setUp();
    await run(test.tree);
    expect(test.asked).toEqual(asked);
    expect(test.refused).toEqual([]);
  });

  it.each(requests)("%s: is not done before each question is answered with yes", async (_, run, asked) => {
    for (const question of asked.filter((text) => !isProbe(text, asked))) {
      const test = setUp((operation, path, { to }) => `${operation} ${path}${to ? ` to ${to}` : ""}` !== question);
      await expect(run(test.tree), question).rejects.toEqual(denied);
      expect(test.calls, question).toEqual([]);
      const [operation, path] = question.split(" ");
      expect(test.refused).toMatchObject([{ operation, path }]);
    }
  });

  it.each(requests)("%s: is refused by whatever is not exactly true", async (_, run) => {
    const rejections = [Promise.resolve(false), Promise.resolve(1), Promise.resolve()];
    for (const answer of [false, 1, "true", {}, undefined, null, ...rejections]) {
      const test = setUp(() => answer);
      await expect(run(test.tree)).rejects.toEqual(denied);
      expect(test.calls).toEqual([]);
    }
  });

  it.each(requests)("%s: is refused by a throw and by a rejection, of which the log hears", async (_, run) => {
    const broken = new Error("broken");
    const ways: Decide[] = [
      () => {
        throw broken;
      },
      () => Promise.reject(broken),
    ];
    for (const decide of ways) {
      const test = setUp(decide);
      await expect(run(test.tree)).rejects.toEqual(denied);
      expect(test.calls).toEqual([]);
      expect(test.failed).toContain(broken);
    }
  });

  it("is allowed by a promise of true", async () => {
    const { tree } = setUp(() => Promise.resolve(true));
    await tree.open("/a/file", openOptions("read write"));
    await tree.rename("/a/file", "/a/new", "refuse");
  });

  it("knows the user who asks", async () => {
    const contexts: AccessContext[] = [];
    const { tree } = setUp((_operation, _path, context) => contexts.push(context) > 0);
    await tree.stat("/a", "follow");
    await tree.rename("/a", "/d", "refuse");
    await tree.rename("/b/other", "/o", "refuse");
    const ann = { user: "ann", connection: { username: "ann" } };
    expect(contexts[0]).toEqual(ann);
    expect(contexts[1]).toEqual({ ...ann, to: "/d", isDirectory: true });
    expect(contexts.find(({ to }) => to === "/o")).toEqual({ ...ann, to: "/o", isDirectory: false });
  });

  it("stands beside the policy: both have to allow", async () => {
    const policy = { ...allowAll, checkFileAccess: (path: string) => path !== "/a/file" };
    const test = setUp(() => true, undefined, policy);
    for (const [what, run] of requests.filter(([, , asked]) => asked.some((text) => / \/a\/file$/.test(text)))) {
      await expect(run(test.tree), what).rejects.toEqual(denied);
    }
    expect(test.calls).toEqual([]);
  });

  it("counts where links lead to", async () => {
    const test = setUp((_, path) => path.startsWith("/b"));
    test.files.symlink("/a", "/b/in");
    test.files.symlink("/a/file", "/b/there");
    const { tree } = test;
    for (const options of ["read", "write", "write create", "write append create"]) {
      await expect(tree.open("/b/in/file", openOptions(options)), options).rejects.toEqual(denied);
      await expect(tree.open("/b/there", openOptions(options)), options).rejects.toEqual(denied);
    }
    await expect(tree.open("/b/in/new", openOptions("write create"))).rejects.toEqual(denied);
    await expect(tree.remove("/b/in/file")).rejects.toEqual(denied);
    await expect(tree.setstat("/b/there", TIMES, "follow")).rejects.toEqual(denied);
    await expect(tree.rename("/b/other", "/b/in/other", "refuse")).rejects.toEqual(denied);
    expect(test.files.readFile("/a/file").toString()).toBe("content");
    // What is refused under the name of a link alone is allowed where it leads to.
    expect((await setUp((_, path) => path !== "/link/file").tree.stat("/link/file", "follow")).type).toBe("file");
  });

  it("is not told as refused where only the name of a link was", async () => {
    const { tree, refused } = setUp((_, path) => path !== "/link/file");
    await tree.stat("/link/file", "follow");
    expect(refused).toEqual([]);
  });
});

describe("between the answer and what is done", () => {
  it("a user who may only create makes a file that was not there, also when others make one meanwhile", async () => {
    const test = setUp((operation) => {
      if (operation === "create") test.files.writeFile("/a/new", "somebody else's");
      return operation === "create";
    });
    for (const options of ["write create truncate", "write create", "write append create"]) {
      await expect(test.tree.open("/a/new", openOptions(options)), options).rejects.toEqual(denied);
    }
    expect(test.files.readFile("/a/new").toString()).toBe("somebody else's");
  });

  it("a user who may only overwrite makes no file, also when others remove it meanwhile", async () => {
    const test = setUp((operation) => {
      if (operation === "overwrite") test.files.remove("/a/file");
      return operation === "overwrite";
    });
    await expect(test.tree.open("/a/file", openOptions("write create truncate"))).rejects.toEqual(denied);
    expect(() => test.files.lstat("/a/file")).toThrow("No such file");
  });

  it("is asked again about what is there now", async () => {
    let isFirst = true;
    const test = setUp((operation, path) => {
      if (operation === "create" && isFirst) test.files.writeFile(path, "somebody else's");
      isFirst = false;
      return true;
    });
    const { handle, isNew } = await test.tree.open("/a/new", openOptions("write create"));
    expect(isNew).toBe(false);
    await handle.close?.(COMPLETED);
    expect(test.asked).toEqual(["create /a/new", "overwrite /a/new"]);
  });

  it("a name that is made and removed all the time ends the request", async () => {
    const test = setUp((operation, path) => {
      if (operation === "create") test.files.writeFile(path, "");
      else test.files.remove(path);
      return true;
    });
    await expect(test.tree.open("/a/new", openOptions("write create"))).rejects.toThrow();
    expect(test.asked.length).toBeLessThan(10);
  });

  it("a link that appears at the name is followed, and what it leads to is asked about", async () => {
    const test = setUp((operation, path) => {
      if (path === "/b/new" && operation === "create") test.files.symlink("/a/file", "/b/new");
      return path.startsWith("/b");
    });
    await expect(test.tree.open("/b/new", openOptions("write create truncate"))).rejects.toEqual(denied);
    expect(test.files.readFile("/a/file").toString()).toBe("content");
  });

  it("a user who may not overwrite renames over nothing, also when others make a file there meanwhile", async () => {
    const test = setUp((operation, path) => {
      if (operation === "overwrite" && path === "/b/new") test.files.writeFile("/b/new", "somebody else's");
      return operation !== "overwrite" || !path.startsWith("/b");
    });
    await expect(test.tree.rename("/a/file", "/b/new", "replace")).rejects.toMatchObject({ code: "EEXIST" });
    expect(test.files.readFile("/b/new").toString()).toBe("somebody else's");
    test.files.remove("/b/new");
    const quiet = setUp((operation, path) => operation !== "overwrite" || !path.startsWith("/b"));
    await quiet.tree.rename("/a/file", "/b/new", "replace");
    expect(quiet.files.readFile("/b/new").toString()).toBe("content");
  });

  it("a file system that cannot tell what is there needs both answers", async () => {
    for (const [refusedOne, path] of [
      ["create", "/a/file"],
      ["overwrite", "/a/new"],
    ] as const) {
      const test = setUp((operation) => operation !== refusedOne);
      const blind: FileSystem = { open: (name, options) => test.files.open(name, options) };
      const guard = new AccessGuard(allowAll, {
        decide: (operation) => operation !== refusedOne,
        connection: undefined,
      });
      const tree = new GuardedFileSystem(blind, guard, "/");
      await expect(tree.open(path, openOptions("write create")), refusedOne).rejects.toEqual(denied);
    }
  });
});

describe("through an open file", () => {
  it("attributes are asked about, and the size of a file that was there", async () => {
    const test = setUp((operation) => operation === "append" || operation === "read");
    for (const options of ["read", "write append"]) {
      const opened = await test.tree.open("/a/file", openOptions(options));
      await expect(test.tree.fsetstat(opened, { size: 0 }), options).rejects.toEqual(denied);
      await expect(test.tree.fsetstat(opened, TIMES), options).rejects.toEqual(denied);
      await expect(test.tree.fsetstat(opened, { permissions: 0o4777 }), options).rejects.toEqual(denied);
    }
    expect(test.files.readFile("/a/file").toString()).toBe("content");
  });

  it("the size of a file that it has made belongs to making it; attributes do not", async () => {
    const test = setUp((operation) => operation === "create");
    const opened = await test.tree.open("/a/new", openOptions("write create"));
    await test.tree.fsetstat(opened, { size: 100 });
    await expect(test.tree.fsetstat(opened, { size: 5, ...TIMES })).rejects.toEqual(denied);
    expect(test.files.lstat("/a/new").size).toBe(100);
  });
});

describe("under another name", () => {
  const more = ["read", "overwrite", "append", "attributes", "delete"] as const;

  it.each(more)("%s is not allowed by moving a file to where it would be", async (operation) => {
    const test = setUp((asked, path) => asked !== operation || !path.startsWith("/a"));
    await expect(test.tree.rename("/a/file", "/b/new", "refuse")).rejects.toEqual(denied);
    await expect(test.tree.rename("/a/file", "/b/other", "replace")).rejects.toEqual(denied);
    if (operation !== "delete") await expect(test.tree.hardlink("/a/file", "/b/new")).rejects.toEqual(denied);
    await test.tree.rename("/a/file", "/a/new", "refuse");
    expect(test.calls).toEqual(["rename /a/file"]);
    expect(test.refused[0]).toMatchObject({ path: "/a/file", why: `under the new name ${operation} would be allowed` });
  });

  it("users move no files to themselves where the path alone decides", async () => {
    // The natural program: it does not look at `to`.
    const test = setUp((_operation, path) => path.startsWith("/a/"));
    for (const existing of ["refuse", "replace"] as const) {
      await expect(test.tree.rename("/a/file", "/b/new", existing)).rejects.toEqual(denied);
      await expect(test.tree.rename("/b/other", "/a/new", existing)).rejects.toEqual(denied);
    }
    await expect(test.tree.hardlink("/b/other", "/a/new")).rejects.toEqual(denied);
    await expect(test.tree.hardlink("/a/file", "/b/new")).rejects.toEqual(denied);
    expect(test.calls).toEqual([]);
  });
});

describe("what is hidden", () => {
  const hides = (path: string) => path === "/a" || path.startsWith("/a/");
  const hiding = () => setUp((_operation, path) => !hides(path), hides);

  it("is not there, whatever is asked", async () => {
    for (const [what, run, asked] of requests) {
      const isAbout = asked.some((text) => / \/a(\/|$)/.test(text.split(" to ")[0] ?? ""));
      if (!isAbout) continue;
      const test = hiding();
      await expect(run(test.tree), what).rejects.toEqual(noSuchFile);
      expect(test.calls, what).toEqual([]);
    }
    const { tree } = hiding();
    await expect(tree.rename("/b/other", "/a/new", "replace")).rejects.toEqual(noSuchFile);
    await expect(tree.stat("/link/file", "follow")).rejects.toEqual(noSuchFile);
  });

  it("leads nowhere: not by `..`, and not as a link", async () => {
    const isHidden = (path: string) => /^\/(a|link|none)(\/|$)/.test(path);
    const { tree, files } = setUp((_operation, path) => !isHidden(path), isHidden);
    files.mkdir("/a/dir", 0o755);
    files.symlink("/b", "/a/link");
    files.symlink("a/dir/../../b", "/there");
    files.symlink("a/none/../../b", "/not");
    const forms: readonly ((path: string) => Promise<unknown>)[] = [
      (path) => tree.stat(`${path}/other`, "follow"),
      (path) => tree.locate(path),
      (path) => tree.opendir(path),
      (path) => tree.realpath(`${path}/other`),
      (path) => tree.open(`${path}/other`, openOptions("read")),
      (path) => tree.open(`${path}/new`, openOptions("write create exclusive")),
      (path) => tree.remove(`${path}/other`),
      (path) => tree.mkdir(`${path}/new`),
      (path) => tree.symlink("other", `${path}/new`),
      (path) => tree.rename("/b/other", `${path}/new`, "replace"),
    ];
    const hidden = ["/a/../b", "/a/dir/../../b", "/a/none/../../b", "/a/file/../../b", "/a/link", "/a/link/../b"];
    for (const path of [...hidden, "/none/../b", "/link/../b", "/there", "/not"]) {
      for (const form of forms) await expect(form(path), `${path} ${form}`).rejects.toEqual(noSuchFile);
    }
    expect([...files.readdir("/b")].map(({ name }) => name)).toEqual(["other"]);
    await tree.stat("/b/../c/../b/other", "follow");
  });

  it("shows nothing by the way in which a file system fails", async () => {
    const { tree, files } = hiding();
    for (const code of ["ENAMETOOLONG", "EACCES", "EIO"] as const) {
      files.lstat = () => {
        throw new FileError(code);
      };
      await expect(tree.stat("/a/file", "follow")).rejects.toEqual(noSuchFile);
      await expect(tree.setstat("/a/file", TIMES, "follow")).rejects.toEqual(noSuchFile);
      await expect(tree.open("/a/file", openOptions("write create"))).rejects.toEqual(noSuchFile);
      await expect(tree.rename("/a/file", "/b/new", "replace")).rejects.toEqual(noSuchFile);
      await expect(tree.statvfs("/a/file")).rejects.toEqual(noSuchFile);
      await expect(tree.stat("/b/other", "follow")).rejects.toMatchObject({ code });
    }
  });

  it("is not listed", async () => {
    const names = async (tree: Tree) => {
      const { entries } = await tree.opendir("/");
      const listed: string[] = [];
      for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) listed.push(entry.name);
      return listed;
    };
    expect(await names(hiding().tree)).toEqual(["b", "c", "link", "empty"]);
    const slow = setUp(() => true);
    const guard = new AccessGuard(allowAll, {
      decide: Object.assign(() => true, { hides: async (path: string) => path !== "/b" }),
      connection: undefined,
    });
    for (let number = 0; number < 300; number++) slow.files.writeFile(`/many-${number}`, "");
    expect(await names(new GuardedFileSystem(slow.files, guard, "/"))).toEqual(["b"]);
  });

  it("is for REALPATH what is missing", async () => {
    const { tree, files } = hiding();
    expect(await tree.realpath("/a")).toBe("/a");
    expect(await tree.realpath("/none")).toBe("/none");
    await expect(tree.realpath("/a/file")).rejects.toEqual(noSuchFile);
    await expect(tree.realpath("/none/file")).rejects.toEqual(noSuchFile);
    files.symlink("/a/file", "/to");
    expect(await tree.realpath("/to")).toBe("/to");
  });

  it("is hidden, too, where the policy refuses", async () => {
    const { tree } = setUp(() => false, hides, { ...allowAll, checkFileAccess: () => false });
    await expect(tree.remove("/a/file")).rejects.toEqual(noSuchFile);
    await expect(tree.remove("/b/other")).rejects.toEqual(denied);
  });

  it("fails the request where it is not known what is hidden", async () => {
    const { tree } = setUp(
      () => true,
      () => {
        throw new FileError("EIO");
      },
    );
    const { entries } = await tree.opendir("/");
    await expect((async () => entries.next())()).rejects.toThrow();
  });
});
