import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { FileSystem } from "../../../src/files/file-system.js";
import { rules } from "../../../src/files/rules/rules.js";
import { PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { atomicUploads, audit, LocalFileSystem, mount, readOnly, SFTPServer } from "../../../src/sftp/index.js";
import type { SFTPPacketClient } from "../../support/sftp-client.js";
import { NO_ATTRIBUTES } from "../../support/sftp-packets.js";
import { startSession, type TestSessionOptions } from "./session.js";

const { OK } = StatusCode;
type Renaming = "rename" | "posixRename";

/** Stops the first rename to a name just before it is done. */
class Halt {
  readonly name: string;
  /** Resolves when the rename is to be done. */
  readonly reached: Promise<void>;
  goOn = (): void => {};
  #reach = (): void => {};
  #going: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.#going = new Promise((resolve) => {
      this.goOn = resolve;
    });
  }

  async before(newPath: string): Promise<void> {
    if (!newPath.endsWith(this.name)) return;
    const going = this.#going;
    this.#going = undefined;
    this.#reach();
    await going;
  }
}

class HaltingFolder extends LocalFileSystem {
  readonly #halt: Halt;

  constructor(rootPath: string, halt: Halt) {
    super(rootPath);
    this.#halt = halt;
  }

  override rename(oldPath: string, newPath: string) {
    return this.#move("rename", oldPath, newPath);
  }

  override posixRename(oldPath: string, newPath: string) {
    return this.#move("posixRename", oldPath, newPath);
  }

  async #move(method: Renaming, oldPath: string, newPath: string): Promise<void> {
    await this.#halt.before(newPath);
    await super[method](oldPath, newPath);
  }
}

/** Lets all be done that waits for nothing but the disk. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await setImmediate();
}

const record = () => {};
/** How the files of a session are made of those of the folder. */
const ways: Record<string, (folder: string, halt: Halt) => () => FileSystem> = {
  "one object for all sessions": (folder, halt) => {
    const files = new HaltingFolder(folder, halt);
    return () => files;
  },
  "wrappers for each session": (folder, halt) => {
    const files = new HaltingFolder(folder, halt);
    return () => audit(atomicUploads(files, { user: "ann" }), { record });
  },
  "a mount for each session": (folder, halt) => {
    const files = new HaltingFolder(join(folder, "box"), halt);
    const others = readOnly(new LocalFileSystem(folder));
    return () => mount({ "/": others, "/box": files });
  },
  "a folder for each session": (folder, halt) => () => new HaltingFolder(folder, halt),
  "a folder in the other's": (folder, halt) => {
    const inside = [false, true][Symbol.iterator]();
    return () =>
      inside.next().value === true
        ? mount({ "/box": new HaltingFolder(join(folder, "box"), halt) })
        : new HaltingFolder(folder, halt);
  },
};

/** Two sessions of a user who can move and delete all, but reads keys only in /box/out. */
async function setUp(way: keyof typeof ways, haltAt: string, options?: TestSessionOptions) {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-swap-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["box/in/folder", "box/out"]) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ["file", "folder/my.key"]) writeFileSync(join(folder, "box/in", name), name);
  const halt = new Halt(haltAt);
  const byRules = rules([
    { path: "/box/in/**/*.key", allow: ["stat", "rename", "delete"] },
    { path: "/box/in/**", allow: "all" },
    { path: "/box/out/**", allow: "all" },
  ]);
  const files = ways[way]?.(folder, halt);
  const session = async () => (await startSession(files?.() ?? {}, options ?? { access: byRules })).client;
  return { halt, ann: await session(), other: await session(), at: (name: string) => join(folder, "box", name) };
}

const move = (client: SFTPPacketClient, from: string, to: string) => client.status(PacketType.RENAME, from, to);
const replace = (client: SFTPPacketClient, from: string, to: string) =>
  client.extendedStatus("posix-rename@openssh.com", from, to);

describe.each(Object.keys(ways))("with %s, a file that is being renamed", (way) => {
  it.each([move, replace])("has no directory put in its place", async (rename) => {
    const { halt, ann, other, at } = await setUp(way, "/moved");
    expect((await move(ann, "/box/in/folder", "/box/out/folder")).code).not.toBe(OK);
    const renamed = rename(ann, "/box/in/file", "/box/out/moved");
    await halt.reached;
    const swapped = (async () => {
      await other.status(PacketType.REMOVE, "/box/in/file");
      return rename(other, "/box/in/folder", "/box/in/file");
    })();
    await Promise.race([swapped, settled()]);
    halt.goOn();
    expect((await renamed).code).toBe(OK);
    expect((await swapped).code).toBe(OK);
    expect(readFileSync(at("out/moved"), "utf8")).toBe("file");
    expect(existsSync(at("in/file/my.key"))).toBe(true);
  });
});

it("has no directory made in its place", async () => {
  const { halt, ann, other, at } = await setUp("one object for all sessions", "/moved");
  const renamed = move(ann, "/box/in/file", "/box/out/moved");
  await halt.reached;
  const swapped = (async () => {
    await other.status(PacketType.REMOVE, "/box/in/file");
    await other.status(PacketType.MKDIR, "/box/in/file", NO_ATTRIBUTES);
    return move(other, "/box/in/folder/my.key", "/box/in/file/my.key");
  })();
  await Promise.race([swapped, settled()]);
  halt.goOn();
  expect((await renamed).code).toBe(OK);
  expect((await swapped).code).toBe(OK);
  expect(readFileSync(at("out/moved"), "utf8")).toBe("file");
});

it("has no directory put in its place where hooks decide that were set later", async () => {
  class Filed extends SFTPServer {
    override checkDirectoryAccess = (path: string, mode: string) => mode === "r" || !path.startsWith("/box/out");
  }
  const { halt, ann, other, at } = await setUp("one object for all sessions", "/moved", { server: Filed });
  expect((await move(ann, "/box/in/folder", "/box/out/folder")).code).not.toBe(OK);
  const renamed = move(ann, "/box/in/file", "/box/out/moved");
  await halt.reached;
  const swapped = (async () => {
    await other.status(PacketType.REMOVE, "/box/in/file");
    return move(other, "/box/in/folder", "/box/in/file");
  })();
  await Promise.race([swapped, settled()]);
  halt.goOn();
  expect((await renamed).code).toBe(OK);
  expect((await swapped).code).toBe(OK);
  expect(readFileSync(at("out/moved"), "utf8")).toBe("file");
});
