import { describe, expect, it } from "vitest";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { encodeFields, readerOf, readPath } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const { FAILURE, BAD_MESSAGE, NO_SUCH_FILE } = StatusCode;

describe("limits@openssh.com", () => {
  it("tells packet, read, write and handles (OpenSSH PROTOCOL §4.9)", async () => {
    const { client } = await startSession({ userNames: () => [] }, { maxOpenHandles: 77 });
    const reply = await client.askExtended("limits@openssh.com");
    expect(reply.bytes.toString("hex")).toBe(
      "00000025c900000001" + "0000000000040000" + "000000000003fc00" + "000000000003fc00" + "000000000000004d",
    );
  });
});

describe("expand-path@openssh.com", () => {
  it.each([
    ["~", "/home/me"],
    ["~/", "/home/me"],
    ["~/x", "/home/me/x"],
    ["~/../x", "/home/x"],
    ["x", "/home/me/x"],
    ["/x/~", null],
    ["", "/home/me"],
    ["/home/./me", "/home/me"],
    ["~me", null],
    ["~root/x", null],
  ])("%j is %j", async (path, expected) => {
    const files = MemoryFileSystem.from({ "/home/me/file": "" });
    const { client } = await startSession(files, { startDirectory: "/home/me" });
    const reply = await client.askExtended("expand-path@openssh.com", path);
    if (expected === null) expect(reply.type).toBe(PacketType.STATUS);
    else expect(readPath(reply)).toBe(expected);
  });
});

describe("home-directory", () => {
  it("is where relative paths start, for whichever user it is asked", async () => {
    const files = MemoryFileSystem.from({ "/home/me/file": "" });
    const { client } = await startSession(files, { startDirectory: "/home/me" });
    for (const user of ["", "me", "root"]) {
      expect(readPath(await client.askExtended("home-directory", user))).toBe("/home/me");
    }
  });

  it("may be missing", async () => {
    const { client } = await startSession(new MemoryFileSystem(), { startDirectory: "/no/home" });
    expect((await client.extendedStatus("home-directory", "")).code).toBe(NO_SUCH_FILE);
  });
});

describe("users-groups-by-id@openssh.com", () => {
  const ids = (...numbers: readonly number[]) => encodeFields(...numbers);

  it("names in the same order, empty where there is none (OpenSSH PROTOCOL §4.13)", async () => {
    const { client } = await startSession({
      userNames: (users) => users.map((id) => (id === 0 ? "root" : undefined)),
      groupNames: async (groups) => groups.map((id) => `g${id}`),
    });
    const reply = await client.askExtended("users-groups-by-id@openssh.com", ids(0, 7, 0), ids(5));
    const fields = readerOf(reply, PacketType.EXTENDED_REPLY);
    expect(fields.readString()).toEqual(encodeFields("root", "", "root"));
    expect(fields.readString()).toEqual(encodeFields("g5"));
    fields.end();
  });

  it("are all empty where the file system returns too few, or knows only one kind", async () => {
    const { client } = await startSession({ userNames: () => [] });
    const reply = await client.askExtended("users-groups-by-id@openssh.com", ids(1, 2), ids(3));
    expect(reply.body).toEqual(encodeFields(encodeFields("", ""), encodeFields("")));
  });

  it("refuses ids that are cut, and too many", async () => {
    const { client } = await startSession({ userNames: () => [] });
    const ask = (users: Uint8Array, groups: Uint8Array) =>
      client.extendedStatus("users-groups-by-id@openssh.com", users, groups);
    expect((await ask(Buffer.alloc(5), Buffer.alloc(0))).code).toBe(BAD_MESSAGE);
    expect((await ask(Buffer.alloc(0), Buffer.alloc(3))).code).toBe(BAD_MESSAGE);
    expect((await ask(Buffer.alloc(4 * 1025), Buffer.alloc(0))).code).toBe(FAILURE);
    expect((await ask(Buffer.alloc(0), Buffer.alloc(200_000))).code).toBe(FAILURE);
  });
});
