import { describe, expect, it } from "vitest";
import type { DirectoryEntry, FileAttributes } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import type { SFTPPacketClient } from "../../../support/sftp-client.js";
import { type Name, readNames } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const { OPENDIR, READDIR } = PacketType;
const { EOF, FAILURE, NO_SUCH_FILE } = StatusCode;

const file: FileAttributes = { type: "file", size: 1, permissions: 0o644, accessTime: 0, modifyTime: 0 };

/** All entries but the first two, which are `.` and `..`, and how many replies they came in. */
async function list(client: SFTPPacketClient, path: string): Promise<{ names: Name[]; replies: number }> {
  const handle = await client.opendir(path);
  const names: Name[] = [];
  for (let replies = 0; ; replies++) {
    const reply = await client.ask(READDIR, handle);
    expect(reply.bytes.length).toBeLessThanOrEqual(34_000);
    if (reply.type === PacketType.STATUS) {
      expect(await client.status(READDIR, handle)).toEqual({ code: EOF, message: "End of directory" });
      await client.close(handle);
      expect(names.splice(0, 2).map(({ name }) => name.toString())).toEqual([".", ".."]);
      return { names, replies };
    }
    names.push(...readNames(reply));
  }
}

describe("OPENDIR and READDIR", () => {
  it("NAME with longnames, exactly", async () => {
    const entry = { name: "x", attributes: { ...file, uid: 1, gid: 2, modifyTime: 0 } };
    const { client } = await startSession({ readdir: () => [entry] });
    const names = readNames(await client.ask(READDIR, await client.opendir("/")));
    expect(names[2]).toEqual({
      name: Buffer.from("x"),
      longname: Buffer.from("-rw-r--r--    1 1        2               1 Jan  1  1970 x"),
      attributes: { size: 1n, uid: 1, gid: 2, mode: 0o100_644, accessTime: 0, modifyTime: 0 },
    });
  });

  it("names owners as the file system does", async () => {
    const { client } = await startSession({
      readdir: () => [{ name: "x", attributes: { ...file, uid: 7, gid: 8 } }],
      userNames: (ids) => ids.map((id) => `user${id}`),
      groupNames: async (ids) => ids.map(() => undefined),
    });
    const { names } = await list(client, "/");
    expect(names[0]?.longname.toString()).toContain(" user7    8 ");
  });

  it("ten thousand entries, each once, in replies that old clients take", async () => {
    const files = new MemoryFileSystem();
    const wanted = Array.from({ length: 10_000 }, (_, index) => `file ${index} ${"ü".repeat(index % 100)}`);
    for (const name of wanted) files.writeFile(`/${name}`, "");
    const { client } = await startSession(files);
    const { names, replies } = await list(client, "/");
    expect(names.map(({ name }) => name.toString()).sort()).toEqual([...wanted].sort());
    expect(replies).toBeLessThan(200);
  });

  it("names that are not UTF-8, as they are", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/a\udcff\n\\", "");
    const { client } = await startSession(files);
    const { names } = await list(client, "/");
    expect(names[0]?.name).toEqual(Buffer.from("61ff0a5c", "hex"));
    expect(names[0]?.longname.subarray(-4)).toEqual(Buffer.from("61ff0a5c", "hex"));
  });

  it("two handles list on their own, and requests on one come in order", async () => {
    const files = new MemoryFileSystem();
    for (let index = 0; index < 1_000; index++) files.writeFile(`/file ${index}`, "");
    const { client } = await startSession(files);
    const handles = [await client.opendir("/"), await client.opendir("/")];
    const pending = Array.from({ length: 20 }, (_, index) => client.ask(READDIR, handles[index % 2] ?? ""));
    const replies = await Promise.all(pending);
    for (const half of [0, 1]) {
      const own = replies.filter((_, index) => index % 2 === half);
      const lists = own.filter(({ type }) => type === PacketType.NAME);
      expect(new Set(lists.flatMap(readNames).map(({ name }) => name.toString())).size).toBe(1_002);
      expect(own.map(({ type }) => type)).toEqual(own.map((_, index) => (index < lists.length ? 104 : 101)));
    }
  });

  it.each([
    ["/none", NO_SUCH_FILE],
    ["/file", NO_SUCH_FILE],
    ["/file/x", NO_SUCH_FILE],
    ["/loop", FAILURE],
  ])("OPENDIR of %s: a status", async (path, code) => {
    const files = MemoryFileSystem.from({ "/file": "" });
    files.symlink("loop", "/loop");
    const { client } = await startSession(files);
    expect((await client.status(OPENDIR, path)).code).toBe(code);
  });

  it("reads a directory only as far as it is asked to, and stops at CLOSE", async () => {
    let made = 0;
    let stopped = false;
    async function* endless(): AsyncGenerator<DirectoryEntry> {
      try {
        for (;;) yield { name: `entry ${++made}`, attributes: file };
      } finally {
        stopped = true;
      }
    }
    const { client } = await startSession({ readdir: endless });
    const handle = await client.opendir("/");
    for (let round = 0; round < 3; round++) {
      const before = made;
      expect(readNames(await client.ask(READDIR, handle)).length).toBeGreaterThan(100);
      expect(made - before).toBeLessThan(1_000);
    }
    expect(stopped).toBe(false);
    await client.close(handle);
    expect(stopped).toBe(true);
  });

  it("a file system that throws at once: OPENDIR fails", async () => {
    const readdir = () => {
      throw Object.assign(new Error("/real/root"), { code: "EACCES" });
    };
    const { client } = await startSession({ readdir });
    const refused = { code: StatusCode.PERMISSION_DENIED, message: "Permission denied" };
    expect(await client.status(OPENDIR, "/")).toEqual(refused);
  });

  it("a listing that fails: a status, and the end", async () => {
    async function* failing(): AsyncGenerator<DirectoryEntry> {
      yield { name: "first", attributes: file };
      throw Object.assign(new Error("/real/root"), { code: "EIO" });
    }
    const { client } = await startSession({ readdir: failing });
    const handle = await client.opendir("/");
    expect(await client.status(READDIR, handle)).toEqual({ code: FAILURE, message: "Input/output error" });
    expect((await client.status(READDIR, handle)).code).toBe(EOF);
  });
});
