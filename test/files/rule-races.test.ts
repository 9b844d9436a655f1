import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AccessFunction } from "../../src/files/access-function.js";
import { AccessGuard } from "../../src/files/access-guard.js";
import { allowAll } from "../../src/files/access-policy.js";
import { type AccessRefusal, AccessRefusals } from "../../src/files/access-refusals.js";
import { COMPLETED } from "../../src/files/file-outcome.js";
import type { FileSystem } from "../../src/files/file-system.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import type { Rule } from "../../src/files/rules/rule.js";
import { rules } from "../../src/files/rules/rules.js";
import { audit } from "../../src/files/wrappers/audit.js";
import { extent } from "../support/extent.js";
import { openOptions } from "./conformance/drive.js";

const SECRET = "secret";

/**
 * A secret can be moved, and replaced, but not be read: so it has to stay, whatever is done in whichever order. Nothing but files
 * may be put into /out, and what is there must not be replaced.
 */
const ruleList: readonly Rule[] = [
  { path: "/in/**/*.key", allow: ["list", "stat", "rename", "delete", "overwrite", "create"] },
  { path: "/in/**", allow: "all" },
  { path: "/out/kept/**", allow: ["list", "stat", "read", "rename", "removeDirectory", "makeDirectory"] },
  { path: "/out/**", allow: "all" },
];

type Command = (tree: GuardedFileSystem) => Promise<unknown>;

async function make(tree: GuardedFileSystem, path: string): Promise<void> {
  const { handle } = await tree.open(path, openOptions("write create truncate"));
  await handle.close?.(COMPLETED);
}

const existing = fc.constantFrom("refuse", "replace");
const inside = fc.constantFrom("/in/a", "/in/d", "/in/e", "/in/d/my.key", "/out/link/a");
const outside = fc.constantFrom("/out/b", "/out/kept", "/out/kept/a", "/out/empty");

const move = (from: string, to: string): fc.Arbitrary<Command> =>
  existing.map((fate) => (tree: GuardedFileSystem) => tree.rename(from, to, fate));

/** Takes a file out of /in. */
const takeOut = fc.tuple(fc.constantFrom("/in/a", "/out/link/a"), outside).chain(([from, to]) => move(from, to));

/** Puts the folder of the secret into the place of the file. */
const swap: fc.Arbitrary<readonly Command[]> = fc.oneof(
  move("/in/d", "/in/a").map((put) => [(tree: GuardedFileSystem) => tree.remove("/in/a"), put]),
  fc.tuple(move("/in/a", "/in/e"), move("/in/d", "/in/a")),
  move("/in/d/my.key", "/in/a/my.key").map((put) => [
    (tree: GuardedFileSystem) => tree.remove("/in/a"),
    (tree: GuardedFileSystem) => tree.mkdir("/in/a"),
    put,
  ]),
);

/** Puts the file that is to be kept where the folder was that is replaced. */
const swapTarget: fc.Arbitrary<readonly Command[]> = fc.constant([
  (tree: GuardedFileSystem) => tree.rmdir("/out/empty"),
  (tree: GuardedFileSystem) => tree.rename("/out/kept/a", "/out/kept/b", "refuse"),
]);

const any: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(inside, fc.oneof(inside, outside)).chain(([from, to]) => move(from, to)),
  fc.tuple(inside, fc.oneof(inside, outside)).map(
    ([from, to]) =>
      (tree: GuardedFileSystem) =>
        tree.hardlink(from, to),
  ),
  fc.tuple(fc.oneof(inside, outside), fc.constantFrom("remove", "rmdir", "mkdir")).map(
    ([at, what]) =>
      (tree: GuardedFileSystem) =>
        tree[what](at),
  ),
  fc.oneof(inside, outside).map((at) => (tree: GuardedFileSystem) => make(tree, at)),
);

/** What the sessions do that are there together. */
const sessions = fc.tuple(
  takeOut.map((command) => [command]),
  fc.oneof({ weight: 4, arbitrary: swap }, swapTarget, fc.array(any, { maxLength: 3 })),
  fc.array(any, { maxLength: 2 }),
);

/** Each call of a file system is done when the scheduler says so. */
function scheduled(files: FileSystem, scheduler: fc.Scheduler): FileSystem {
  return new Proxy(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || name === "readdir") return method;
      return (...parameters: unknown[]) =>
        scheduler.schedule(Promise.resolve(), String(name)).then(() => Reflect.apply(method, target, parameters));
    },
  });
}

function contentsBelow(files: MemoryFileSystem, directory: string): string[] {
  return [...files.readdir(directory)].flatMap(({ name, attributes }) => {
    const at = `${directory}/${name}`;
    if (attributes.type === "directory") return contentsBelow(files, at);
    return attributes.type === "file" ? [files.readFile(at).toString()] : [];
  });
}

describe("rules", () => {
  it("hold for sessions whose calls meet in any order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sessions, async (scheduler, commandLists) => {
        const files = MemoryFileSystem.from({
          "/in/a": "a",
          "/in/d/my.key": SECRET,
          "/out/kept/a": "kept",
          "/out/a": "a",
        });
        files.symlink("../in", "/out/link");
        files.mkdir("/out/empty", 0o777);
        const base = scheduled(files, scheduler);
        const running = commandLists.map(async (commands) => {
          const guard = new AccessGuard(allowAll, { decide: rules(ruleList), connection: { username: "ann" } });
          const tree = new GuardedFileSystem(audit(base, { record: () => {} }), guard, "/");
          for (const run of commands) await run(tree).catch(() => {});
        });
        await scheduler.waitFor(Promise.all(running));
        expect(contentsBelow(files, "/out")).not.toContain(SECRET);
        expect(contentsBelow(files, "")).toContain("kept");
      }),
      { numRuns: extent(500, 20_000) },
    );
  });
});

/** A file system whose renames wait, and the trees of two sessions on it. */
function halted(access: AccessFunction | undefined) {
  const files = MemoryFileSystem.from({ "/a": "a", "/b": "b", "/d/e": "e" });
  let goOn = (): void => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const base = new Proxy<FileSystem>(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      if (name !== "rename") return method.bind(target);
      return (...parameters: unknown[]) => going.then(() => Reflect.apply(method, target, parameters));
    },
  });
  const refused: AccessRefusal[] = [];
  const refusals = Object.assign(AccessRefusals.writingTo({ debug() {}, info() {}, warn() {} }), {
    refused: (refusal: AccessRefusal) => refused.push(refusal),
  });
  const tree = (signal?: AbortSignal) => {
    const operations = access && { decide: access, connection: undefined };
    return new GuardedFileSystem(base, new AccessGuard(allowAll, operations, refusals), "/", signal);
  };
  return { files, tree, goOn, refused };
}

describe("a change of a name that another session changes", () => {
  it("is done at once where nothing decides", async () => {
    const { tree, goOn, files } = halted(undefined);
    const renamed = tree().rename("/a", "/c", "refuse");
    await tree().remove("/a");
    goOn();
    await expect(renamed).rejects.toMatchObject({ code: "ENOENT" });
    expect([...files.readdir("/")].map(({ name }) => name)).toEqual(["b", "d"]);
  });

  it("waits no longer than ten seconds, and the log tells why it failed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { tree, goOn, refused, files } = halted(() => true);
    const moved = tree().rename("/d", "/f", "refuse");
    await new Promise(setImmediate);
    const removed = tree().remove("/d/e");
    const failed = expect(removed).rejects.toMatchObject({ code: "EBUSY", message: "Device or resource busy" });
    await tree().remove("/b");
    await new Promise(setImmediate);
    vi.advanceTimersByTime(10_000);
    await failed;
    expect(refused).toEqual([{ operation: "delete", path: "/d/e", why: expect.stringContaining("10 s") }]);
    goOn();
    await moved;
    expect(files.readFile("/f/e").toString()).toBe("e");
  });

  it("is given up when its client goes", async () => {
    const { tree, goOn } = halted(() => true);
    const moved = tree().rename("/d", "/f", "refuse");
    await new Promise(setImmediate);
    const abort = new AbortController();
    const removed = tree(abort.signal).remove("/d/e");
    await new Promise(setImmediate);
    abort.abort();
    await expect(removed).rejects.toBe(abort.signal.reason);
    goOn();
    await moved;
  });

  it("waits for no decision, and is decided about anew if something else is there by then", async () => {
    let decide = (): void => {};
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    const asked: unknown[] = [];
    const { tree, goOn, files } = halted(async (_operation, path, { to, isDirectory }) => {
      if (path !== "/a" || to === undefined) return true;
      asked.push(isDirectory);
      await decided;
      return isDirectory === false;
    });
    goOn();
    const renamed = tree().rename("/a", "/c", "refuse");
    await new Promise(setImmediate);
    await tree().remove("/a");
    await tree().rename("/d", "/a", "refuse");
    decide();
    await expect(renamed).rejects.toMatchObject({ code: "EACCES" });
    expect(asked).toEqual([false, true]);
    expect(files.readFile("/a/e").toString()).toBe("e");
  });
});
