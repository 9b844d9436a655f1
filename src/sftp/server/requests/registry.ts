import { PacketType } from "../../codec/constants.js";
import { opendir, readdir } from "./directories.js";
import { extensions } from "./extensions.js";
import { close, fsetstat, fstat, open, read, write } from "./files.js";
import { lstat, mkdir, readlink, realpath, remove, rename, rmdir, setstat, stat, symlink } from "./names.js";
import type { RequestKind } from "./request.js";

/** Requests with a packet type of their own. */
export const requestKinds: ReadonlyMap<number, RequestKind> = new Map<number, RequestKind>([
  [PacketType.OPEN, open],
  [PacketType.CLOSE, close],
  [PacketType.READ, read],
  [PacketType.WRITE, write],
  [PacketType.LSTAT, lstat],
  [PacketType.FSTAT, fstat],
  [PacketType.SETSTAT, setstat],
  [PacketType.FSETSTAT, fsetstat],
  [PacketType.OPENDIR, opendir],
  [PacketType.READDIR, readdir],
  [PacketType.REMOVE, remove],
  [PacketType.MKDIR, mkdir],
  [PacketType.RMDIR, rmdir],
  [PacketType.REALPATH, realpath],
  [PacketType.STAT, stat],
  [PacketType.RENAME, rename],
  [PacketType.READLINK, readlink],
  [PacketType.SYMLINK, symlink],
]);

/** Names of all requests, as options of `SFTPServer` and `spindlex sftp-server` take them. */
export const requestNames: readonly string[] = [
  ...[...requestKinds.values()].map(({ name }) => name),
  ...[...extensions.values()].map(({ kind }) => kind.name),
];
