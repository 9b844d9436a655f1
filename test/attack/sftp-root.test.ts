import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { LocalFileSystem } from "../../src/files/local/local-file-system.js";
import { OpenFlag, PacketType } from "../../src/sftp/codec/constants.js";
import type { SFTPPacketClient } from "../support/sftp-client.js";
import { attributes, type Field, NO_ATTRIBUTES, type Reply } from "../support/sftp-packets.js";
import { AttackedSession } from "./attacked-session.js";

const { READ, WRITE, CREAT } = OpenFlag;
const SECRET = "outside the root";

async function setUp() {
  const outside = mkdtempSync(join(tmpdir(), "sftp-outside-"));
  onTestFinished(() => rmSync(outside, { recursive: true }));
  const root = join(outside, "the-real-root");
  mkdirSync(join(root, "directory"), { recursive: true });
  writeFileSync(join(outside, "secret"), SECRET);
  writeFileSync(join(root, "file"), "inside");
  writeFileSync(join(root, "directory", "inner"), "inside");
  for (const [name, target] of [
    ["up", ".."],
    ["far up", "../../../../.."],
    ["absolute", outside],
    ["absolute secret", join(outside, "secret")],
    ["relative secret", "../secret"],
    ["loop", "loop"],
    ["process", "/proc/self"],
  ] as const) {
    symlinkSync(target, join(root, name));
  }
  return { outside, attacked: await AttackedSession.start(new LocalFileSystem(root)) };
}

/** Names for what lies outside, and for what is not there. */
function names(outside: string): string[] {
  const links = ["up", "far up", "absolute", "absolute secret", "relative secret", "loop", "process"];
  return [
    ...[
      "",
      "/",
      "..",
      "../secret",
      "/../secret",
      "directory/../../secret",
      "none",
      "none/x",
      "file/x",
      "x".repeat(300),
    ],
    ...links.flatMap((link) => [link, `${link}/secret`, `${link}/../secret`, `${link}/root/secret`, `${link}/none/x`]),
    ...[
      outside,
      join(outside, "secret"),
      "/etc/passwd",
      "/proc/self/root/etc/passwd",
      "/proc/self/fd/3",
      "/proc/self/cwd",
    ],
    ...[
      "directory",
      "directory/inner",
      "up/file",
      "far up/directory/inner",
      "directory/inner/..",
      "file/..",
      "directory/..",
      "~",
      "~root",
      "\\..\\secret",
      "..\\secret",
      "..;/secret",
    ],
  ];
}

/** All that can be asked about a name. */
async function askAll(client: SFTPPacketClient, name: string, outside: string): Promise<Reply[]> {
  const replies: Reply[] = [];
  const ask = async (type: number, ...fields: readonly Field[]): Promise<Reply> => {
    const reply = await client.ask(type, ...fields);
    replies.push(reply);
    return reply;
  };
  const askExtended = async (extension: string, ...fields: readonly Field[]): Promise<void> => {
    replies.push(await client.askExtended(extension, ...fields));
  };
  for (const flags of [READ, READ | WRITE, WRITE | CREAT]) {
    const reply = await ask(PacketType.OPEN, name, flags, NO_ATTRIBUTES);
    if (reply.type !== PacketType.HANDLE) continue;
    const handle = reply.body.subarray(4);
    await ask(PacketType.READ, handle, 0n, 1000);
    await ask(PacketType.WRITE, handle, 2n ** 53n - 2n, "x");
    await ask(PacketType.FSETSTAT, handle, attributes({ size: 2n ** 53n - 1n }));
    await ask(PacketType.CLOSE, handle);
  }
  const listing = await ask(PacketType.OPENDIR, name);
  if (listing.type === PacketType.HANDLE) await ask(PacketType.READDIR, listing.body.subarray(4));
  for (const type of [PacketType.STAT, PacketType.LSTAT, PacketType.REALPATH]) await ask(type, name);
  await askExtended("statvfs@openssh.com", name);
  await askExtended("expand-path@openssh.com", name);
  await askExtended("check-file-name", name, "md5", 0n, 0n, 0);
  await ask(PacketType.SETSTAT, name, attributes({ permissions: 0o777 }));
  await ask(PacketType.MKDIR, `${name}/made`, NO_ATTRIBUTES);
  await ask(PacketType.SYMLINK, join(outside, "secret"), `${name}/link`);
  await askExtended("hardlink@openssh.com", name, `${name}/second`);
  await ask(PacketType.RENAME, name, `${name}/moved`);
  await askExtended("posix-rename@openssh.com", name, `${name}/secret`);
  await ask(PacketType.REMOVE, name);
  await ask(PacketType.RMDIR, name);
  return replies;
}

describe("a directory of this machine", () => {
  it("no request reaches or names what is outside of the root", async () => {
    let read = 0;
    for (let index = 0; index < names("").length; index++) {
      const { outside, attacked } = await setUp();
      const name = names(outside)[index] ?? "";
      const replies = await askAll(attacked.client, name, outside);
      const told = Buffer.concat(replies.map(({ bytes }) => bytes)).toString("latin1");
      expect(told, name).not.toContain("the-real-root");
      expect(told, name).not.toContain(SECRET);
      expect(told, name).not.toContain("root:x:0");
      const statuses = replies.filter(({ type }) => type === PacketType.STATUS);
      expect(statuses.filter(({ body }) => body.includes(outside))).toEqual([]);
      expect(readdirSync(outside).sort(), name).toEqual(["secret", "the-real-root"]);
      expect(readFileSync(join(outside, "secret"), "utf8")).toBe(SECRET);
      if (told.includes("inside")) read++;
      await attacked.expectAlive();
      attacked.client.stream.destroy();
      await attacked.expectEnd();
    }
    // What lies inside can be read under some of the names.
    expect(read).toBeGreaterThan(0);
  });
});
