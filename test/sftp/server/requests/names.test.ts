import { describe, expect, it } from "vitest";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { attributes, NO_ATTRIBUTES, type Reply, readAttributes, readPath } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const { STAT, LSTAT, SETSTAT, REMOVE, MKDIR, RMDIR, RENAME, READLINK, SYMLINK, REALPATH } = PacketType;
const { OK, NO_SUCH_FILE, FAILURE, OP_UNSUPPORTED } = StatusCode;

async function setUp(startDirectory = "/") {
  const files = MemoryFileSystem.from({ "/file": "0123456789", "/directory/inner": "in" });
  files.symlink("file", "/link");
  files.symlink("/directory", "/way");
  return { files, ...(await startSession(files, { startDirectory })) };
}

describe("STAT and LSTAT", () => {
  it("ATTRS, exactly", async () => {
    const { client, files } = await setUp();
    files.setstat("/file", { owner: { uid: 1, gid: 2 }, permissions: 0o640, times: { accessTime: 3, modifyTime: 4 } });
    expect((await client.ask(STAT, "/file")).bytes.toString("hex")).toBe(
      ["00000025", "69", "00000001", "0000000f", "000000000000000a", "00000001", "00000002", "000081a0"].join("") +
        ["00000003", "00000004"].join(""),
    );
  });

  it("follow a link, or do not", async () => {
    const { client } = await setUp();
    const modeOf = (reply: Reply) => readAttributes(reply).mode & 0o170_000;
    expect(modeOf(await client.ask(STAT, "/link"))).toBe(0o100_000);
    expect(modeOf(await client.ask(LSTAT, "/link"))).toBe(0o120_000);
    expect(modeOf(await client.ask(LSTAT, "/way/inner"))).toBe(0o100_000);
    expect(modeOf(await client.ask(STAT, ""))).toBe(0o040_000);
  });

  it.each(["/none", "/file/x", "/none/x"])("%s: no such file", async (path) => {
    const { client } = await setUp();
    expect((await client.status(STAT, path)).code).toBe(NO_SUCH_FILE);
    expect((await client.status(LSTAT, path)).code).toBe(NO_SUCH_FILE);
  });
});

describe("SETSTAT and lsetstat@openssh.com", () => {
  it("change what they are told to", async () => {
    const { client, files } = await setUp();
    expect((await client.status(SETSTAT, "/link", attributes({ size: 3n, permissions: 0o100_600 }))).code).toBe(OK);
    expect(files.lstat("/file")).toMatchObject({ size: 3, permissions: 0o600 });
    const changes = attributes({ owner: [5, 6], times: [7, 8] });
    expect((await client.extendedStatus("lsetstat@openssh.com", "/link", changes)).code).toBe(OK);
    expect(files.lstat("/link")).toMatchObject({ type: "symlink", uid: 5, gid: 6, accessTime: 7, modifyTime: 8 });
    expect(files.lstat("/file").uid).toBe(0);
    expect((await client.status(SETSTAT, "/none", changes)).code).toBe(NO_SUCH_FILE);
  });

  it("refuse a size that no file has", async () => {
    const { client } = await setUp();
    const reply = await client.status(SETSTAT, "/file", attributes({ size: 2n ** 64n - 1n }));
    expect(reply).toEqual({ code: FAILURE, message: "File too large" });
  });
});

describe("requests that change names", () => {
  it("REMOVE, MKDIR and RMDIR", async () => {
    const { client, files } = await setUp();
    expect(await client.status(REMOVE, "/directory/inner")).toEqual({ code: OK, message: "Success" });
    expect((await client.status(REMOVE, "/link")).code).toBe(OK);
    expect((await client.status(REMOVE, "/directory")).code).toBe(FAILURE);
    expect((await client.status(RMDIR, "/directory")).code).toBe(OK);
    expect((await client.status(RMDIR, "/file")).code).toBe(NO_SUCH_FILE);
    expect((await client.status(RMDIR, "/none")).code).toBe(NO_SUCH_FILE);
    expect((await client.status(MKDIR, "/new", attributes({ permissions: 0o40_700 }))).code).toBe(OK);
    expect((await client.status(MKDIR, "/new", NO_ATTRIBUTES)).code).toBe(FAILURE);
    expect((await client.status(RMDIR, "/")).code).toBe(FAILURE);
    expect(files.lstat("/new").permissions).toBe(0o700);
    expect([...files.readdir("/")].map(({ name }) => name).sort()).toEqual(["file", "new", "way"]);
  });

  it("RENAME keeps what is there, posix-rename@openssh.com replaces it", async () => {
    const { client, files } = await setUp();
    files.writeFile("/other", "other");
    expect(await client.status(RENAME, "/file", "/other")).toEqual({ code: FAILURE, message: "File exists" });
    expect((await client.status(RENAME, "/file", "/directory/moved")).code).toBe(OK);
    expect((await client.extendedStatus("posix-rename@openssh.com", "/other", "/directory/moved")).code).toBe(OK);
    expect(files.readFile("/directory/moved").toString()).toBe("other");
    expect((await client.status(RENAME, "/none", "/x")).code).toBe(NO_SUCH_FILE);
    expect((await client.status(RENAME, "/directory", "/directory/x")).code).toBe(FAILURE);
    expect((await client.status(RENAME, "/way/inner", "/way/outer")).code).toBe(OK);
    expect((await client.status(RENAME, "/way", "/path")).code).toBe(OK);
    expect(files.lstat("/path").type).toBe("symlink");
  });

  it("SYMLINK has its target first; READLINK tells it as it is", async () => {
    const { client, files } = await setUp();
    for (const target of ["/etc/passwd", "../../..", "a//b/./c", "no such", "\udcff"]) {
      const bytes = target === "\udcff" ? Buffer.of(0xff) : Buffer.from(target);
      expect((await client.status(SYMLINK, bytes, "/new")).code).toBe(OK);
      expect(files.readlink("/new")).toBe(target);
      const reply = await client.ask(READLINK, "/new");
      expect(reply.body.includes(bytes)).toBe(true);
      if (target !== "\udcff") expect(readPath(reply)).toBe(target);
      files.remove("/new");
    }
    expect((await client.status(SYMLINK, "", "/new")).code).toBe(NO_SUCH_FILE);
    expect((await client.status(SYMLINK, "x", "/file")).code).toBe(FAILURE);
    expect((await client.status(READLINK, "/file")).code).toBe(FAILURE);
    expect((await client.status(READLINK, "/none")).code).toBe(NO_SUCH_FILE);
  });

  it("hardlink@openssh.com gives a file another name", async () => {
    const { client, files } = await setUp();
    expect((await client.extendedStatus("hardlink@openssh.com", "/file", "/way/second")).code).toBe(OK);
    expect(files.lstat("/directory/second").links).toBe(2);
    expect((await client.extendedStatus("hardlink@openssh.com", "/file", "/link")).code).toBe(FAILURE);
    expect((await client.extendedStatus("hardlink@openssh.com", "/none", "/x")).code).toBe(NO_SUCH_FILE);
  });
});

describe("REALPATH", () => {
  it("NAME, exactly", async () => {
    const { client } = await setUp();
    expect((await client.ask(REALPATH, ".")).bytes.toString("hex")).toBe(
      "0000001768000000010000000100000001" + "2f000000012f00000000",
    );
  });

  it.each([
    [".", "/directory"],
    ["", "/directory"],
    ["..", "/"],
    ["inner", "/directory/inner"],
    ["/link", "/file"],
    ["/way/../file", "/file"],
    ["/way/none", "/directory/none"],
    ["/../../..", "/"],
    ["//directory//", "/directory"],
  ])("from /directory: %j is %j", async (path, expected) => {
    const { client } = await setUp("/directory/.");
    expect(readPath(await client.ask(REALPATH, path))).toBe(expected);
  });

  it.each(["/none/x", "/file/x"])("%s: no such file", async (path) => {
    const { client } = await setUp();
    expect((await client.status(REALPATH, path)).code).toBe(NO_SUCH_FILE);
  });
});

describe("a file system without methods for files", () => {
  it("answers that they are not supported, and REALPATH all the same", async () => {
    const { client } = await startSession({ userNames: () => [] });
    const requests = [
      ...[STAT, LSTAT, REMOVE, RMDIR, READLINK].map((type) => client.status(type, "/x")),
      ...[SETSTAT, MKDIR].map((type) => client.status(type, "/x", NO_ATTRIBUTES)),
      ...[RENAME, SYMLINK].map((type) => client.status(type, "/x", "/y")),
      ...["posix-rename@openssh.com", "hardlink@openssh.com"].map((name) => client.extendedStatus(name, "/x", "/y")),
      client.extendedStatus("lsetstat@openssh.com", "/x", NO_ATTRIBUTES),
      client.status(PacketType.OPEN, "/x", 1, NO_ATTRIBUTES),
      client.status(PacketType.OPENDIR, "/x"),
      client.extendedStatus("statvfs@openssh.com", "/x"),
      client.extendedStatus("check-file-name", "/x", "md5", 0n, 0n, 0),
    ];
    for (const status of await Promise.all(requests)) {
      expect(status).toEqual({ code: OP_UNSUPPORTED, message: "Operation not supported" });
    }
    expect(readPath(await client.ask(REALPATH, "/a/../b"))).toBe("/b");
  });
});
