import { OpenFlag, PacketType } from "../../../src/sftp/codec/constants.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import { duplexPair } from "../../server/duplex-pair.js";
import {
  encodeFields,
  extended,
  type Field,
  init,
  NO_ATTRIBUTES,
  packet,
  Raw,
  readReply,
} from "../../support/sftp-packets.js";
import { assertTrue, type Harness } from "../engine/harness.js";
import { FileLogger, smallFileSystem, throwFirst } from "../support/files.js";
import { joinMessages, splitMessages } from "../support/messages.js";

const HANDLE = Buffer.of(0, 0, 0, 1);
const HEAD_LENGTH = 5;

const body = (type: number, ...fields: readonly Field[]) => encodeFields(new Raw(Buffer.of(type)), 7, ...fields);
const open = body(PacketType.OPEN, "/new", OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREAT, NO_ATTRIBUTES);

const dialogues = [
  [
    open,
    body(PacketType.WRITE, HANDLE, 0n, "data"),
    body(PacketType.READ, HANDLE, 0n, 100),
    body(PacketType.CLOSE, HANDLE),
  ],
  [body(PacketType.OPENDIR, "/dir"), body(PacketType.READDIR, HANDLE), body(PacketType.READDIR, HANDLE)],
  [body(PacketType.REALPATH, "."), body(PacketType.STAT, "/link"), body(PacketType.LSTAT, "/loop")],
  [body(PacketType.MKDIR, "/d", NO_ATTRIBUTES), body(PacketType.RENAME, "/d", "/e"), body(PacketType.RMDIR, "/e")],
  [
    extended(7, "posix-rename@openssh.com", "/a.txt", "/z").subarray(4),
    extended(7, "statvfs@openssh.com", "/").subarray(4),
  ],
  [open, extended(7, "check-file-name", "/a.txt", "sha256", 0n, 0n, 0).subarray(4)],
];

/** Requests of one session on a tree in memory. Each that has an id gets one reply. */
export const harness: Harness = {
  name: "sftp",
  seeds: dialogues.map(joinMessages),
  maximumLength: 8192,
  maximumTime: 1000,
  shortRun: 400,
  async run(bytes) {
    const requests = splitMessages(bytes);
    const defects: unknown[] = [];
    const [near, far] = duplexPair();
    const server = new SFTPServer(far, { fileSystem: smallFileSystem(), logger: new FileLogger(defects) });
    const received: Buffer[] = [];
    near.on("data", (chunk: Buffer) => received.push(chunk));
    near.on("error", () => {});
    near.end(Buffer.concat([init(), ...requests.map((request) => packet(request))]));
    await server.closed;
    // What the server has written last leaves with the end of its side.
    if (!near.readableEnded) await new Promise((resolve) => near.once("end", resolve));
    near.destroy();
    throwFirst(defects);
    const ids = replyIds(Buffer.concat(received));
    const isSession = requests.every((request) => request.length >= HEAD_LENGTH && request[0] !== PacketType.INIT);
    if (!isSession) return;
    const expected = requests.map((request) => request.readUInt32BE(1)).sort();
    assertTrue(ids.sort().join() === expected.join(), "not every request got one reply");
  },
};

/** Ids of all replies behind VERSION, each of which has to be whole. */
function replyIds(bytes: Buffer): number[] {
  const ids: number[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    assertTrue(end <= bytes.length, "a reply is cut short");
    const reply = readReply(bytes.subarray(offset, end));
    if (reply.type !== PacketType.VERSION) ids.push(reply.id);
    offset = end;
  }
  return ids;
}
