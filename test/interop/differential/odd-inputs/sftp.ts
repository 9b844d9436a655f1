import { OpenFlag, PacketType as P } from "../../../../src/sftp/codec/constants.js";
import {
  encodeFields,
  extended,
  type Field,
  init,
  NO_ATTRIBUTES,
  packet,
  Raw,
  readHandle,
  request,
} from "../../../support/sftp-packets.js";
import { NOT_UTF8 } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import type { Peer } from "./peer.js";

const ID = 7;
const PREPARED = 30;

function sends(name: string, ...packets: readonly Uint8Array[]): OddInput {
  return { name: `SFTP: ${name}`, stage: "sftp", send: (peer) => peer.sendSFTP(...packets) };
}

function asks(name: string, type: number, ...fields: readonly Field[]): OddInput {
  return sends(name, request(type, ID, ...fields));
}

/** With a handle that was opened before. */
function withHandle(name: string, open: Uint8Array, make: (handle: Buffer) => readonly Uint8Array[]): OddInput {
  let packets: readonly Uint8Array[] = [];
  const prepare = async (peer: Peer): Promise<void> => {
    peer.sendSFTP(open);
    const reply = await peer.untilSFTP(({ id }) => id === PREPARED);
    if (reply === undefined) throw new Error("the session has ended");
    packets = make(readHandle(reply));
  };
  return { name: `SFTP: ${name}`, stage: "sftp", prepare, send: (peer) => peer.sendSFTP(...packets) };
}

const openFile = request(P.OPEN, PREPARED, "file", OpenFlag.READ, NO_ATTRIBUTES);
const openDirectory = request(P.OPENDIR, PREPARED, "directory");
const onFile = (name: string, type: number, ...fields: readonly Field[]): OddInput =>
  withHandle(name, openFile, (handle) => [request(type, ID, handle, ...fields)]);
const flags = (value: number, ...fields: readonly Field[]): Raw => new Raw(encodeFields(value, ...fields));
const UNKNOWN_FLAG = 0x100;
const READ_ALL = 0xffffffff;

export const sftpInputs: readonly OddInput[] = [
  sends("INIT again", init()),
  asks("a request of unknown type", 99),
  asks("a request of the type of a reply", P.STATUS, 0, "", ""),
  sends("an unknown extended request", extended(ID, "x@spindlex", NOT_UTF8)),
  sends("an extended request without a name", request(P.EXTENDED, ID)),
  sends("an extended request whose name is not UTF-8", request(P.EXTENDED, ID, NOT_UTF8)),
  sends("a packet of no bytes", packet(Buffer.alloc(0))),
  sends("a packet without an id", packet(Buffer.of(P.STAT))),
  sends("a packet of 300,000 bytes", packet(Buffer.of(P.STAT), 300_000)),
  sends("a packet of 2^32 - 1 bytes", packet(Buffer.of(P.STAT), READ_ALL)),
  sends("the same id twice", request(P.STAT, ID, "file"), request(P.STAT, ID, "missing")),

  asks("STAT with bytes behind it", P.STAT, "file", "tail"),
  asks("STAT cut short", P.STAT),
  asks("STAT with a length that is a lie", P.STAT, new Raw(encodeFields(9))),
  asks("STAT of a path that is not UTF-8", P.STAT, NOT_UTF8),
  asks("STAT of a path with NUL", P.STAT, "file\0x"),
  asks("STAT of an empty path", P.STAT, ""),
  asks("STAT of a path of 30,000 bytes", P.STAT, "x".repeat(30_000)),
  asks("LSTAT with bytes behind it", P.LSTAT, "file", "tail"),
  asks("REALPATH of an empty path", P.REALPATH, ""),
  asks("REALPATH of what is not there", P.REALPATH, "missing"),
  asks("REALPATH below what is not there", P.REALPATH, "missing/below"),
  asks("REALPATH with bytes behind it", P.REALPATH, ".", "tail"),
  asks("READLINK of a file", P.READLINK, "file"),
  asks("READLINK with bytes behind it", P.READLINK, "file", "tail"),

  asks("OPEN without attributes", P.OPEN, "file", OpenFlag.READ),
  asks("OPEN without flags", P.OPEN, "file", 0, NO_ATTRIBUTES),
  asks("OPEN with unknown flags", P.OPEN, "file", OpenFlag.READ | 0x40000000, NO_ATTRIBUTES),
  asks("OPEN with TRUNC alone", P.OPEN, "missing", OpenFlag.TRUNC, NO_ATTRIBUTES),
  asks("OPEN with EXCL but not CREAT", P.OPEN, "file", OpenFlag.READ | OpenFlag.EXCL, NO_ATTRIBUTES),
  asks("OPEN of a directory", P.OPEN, "directory", OpenFlag.READ, NO_ATTRIBUTES),
  asks("OPEN with bytes behind it", P.OPEN, "file", OpenFlag.READ, NO_ATTRIBUTES, "tail"),
  asks("OPEN with unknown attributes", P.OPEN, "file", OpenFlag.READ, flags(UNKNOWN_FLAG)),
  asks("OPEN with attributes cut short", P.OPEN, "file", OpenFlag.READ, flags(0x1, 5)),
  asks("OPEN with more extended attributes than there are", P.OPEN, "file", OpenFlag.READ, flags(0x80000000, 99, "a")),
  asks("OPEN with 2^32 - 1 extended attributes", P.OPEN, "file", OpenFlag.READ, flags(0x80000000, READ_ALL)),

  asks("CLOSE of an unknown handle", P.CLOSE, "abcd"),
  asks("CLOSE of an empty handle", P.CLOSE, ""),
  asks("CLOSE of a handle of 3,000 bytes", P.CLOSE, "x".repeat(3_000)),
  asks("READ with an unknown handle", P.READ, "abcd", 0n, 10),
  asks("WRITE with an unknown handle", P.WRITE, "abcd", 0n, "data"),
  asks("READDIR with an unknown handle", P.READDIR, "abcd"),
  onFile("CLOSE with bytes behind it", P.CLOSE, "tail"),
  withHandle("CLOSE twice", openFile, (handle) => [request(P.CLOSE, ID, handle), request(P.CLOSE, ID, handle)]),
  onFile("READ of no bytes", P.READ, 0n, 0),
  onFile("READ of 2^32 - 1 bytes", P.READ, 0n, READ_ALL),
  onFile("READ behind the end", P.READ, 1000n, 10),
  onFile("READ at 2^63", P.READ, 2n ** 63n, 10),
  onFile("READ at 2^64 - 1", P.READ, 2n ** 64n - 1n, 10),
  onFile("READ with bytes behind it", P.READ, 0n, 10, "tail"),
  onFile("READ cut short", P.READ, 0n),
  onFile("WRITE to a file that is read", P.WRITE, 0n, "data"),
  onFile("READDIR of a file", P.READDIR),
  onFile("FSTAT with bytes behind it", P.FSTAT, "tail"),
  onFile("FSETSTAT with unknown attributes", P.FSETSTAT, flags(UNKNOWN_FLAG)),
  withHandle("READ of a directory", openDirectory, (handle) => [request(P.READ, ID, handle, 0n, 10)]),
  withHandle("READDIR with bytes behind it", openDirectory, (handle) => [request(P.READDIR, ID, handle, "tail")]),
  withHandle("READDIR behind the end", openDirectory, (handle) => [
    request(P.READDIR, ID, handle),
    request(P.READDIR, ID, handle),
    request(P.READDIR, ID, handle),
  ]),
  withHandle("FSTAT of a directory", openDirectory, (handle) => [request(P.FSTAT, ID, handle)]),

  asks("SETSTAT of nothing", P.SETSTAT, "file", NO_ATTRIBUTES),
  asks("SETSTAT with unknown attributes", P.SETSTAT, "file", flags(UNKNOWN_FLAG)),
  asks("SETSTAT without attributes", P.SETSTAT, "file"),
  asks("MKDIR of what is there", P.MKDIR, "directory", NO_ATTRIBUTES),
  asks("MKDIR without attributes", P.MKDIR, "made"),
  asks("MKDIR with bytes behind it", P.MKDIR, "made with a tail", NO_ATTRIBUTES, "tail"),
  asks("RMDIR of a file", P.RMDIR, "file"),
  asks("REMOVE of a directory", P.REMOVE, "directory"),
  asks("RENAME onto what is there", P.RENAME, "file", "directory"),
  asks("RENAME with one path", P.RENAME, "file"),
  asks("SYMLINK with an empty target", P.SYMLINK, "", "link"),
  asks("SYMLINK with bytes behind it", P.SYMLINK, "file", "link with a tail", "tail"),
];
