import type { FileSystem } from "../../../files/file-system.js";
import { checkFile, checkFileHandle, checkFileName } from "./check-file.js";
import { copyData } from "./copy-data.js";
import { fsync } from "./files.js";
import { hardlink, lsetstat, posixRename } from "./names.js";
import type { RequestKind } from "./request.js";
import { expandPath, homeDirectory, limits, usersGroupsById } from "./session.js";
import { fstatvfs, statvfs } from "./statvfs.js";

/** A request that SSH_FXP_EXTENDED carries (draft-ietf-secsh-filexfer-02 §8). */
export interface Extension {
  readonly kind: RequestKind;
  /** The data that announces it: its version, mostly. */
  readonly data: string;
  isPossible(fileSystem: FileSystem): boolean;
}

const always = () => true;
const opensFiles = (fileSystem: FileSystem) => fileSystem.open !== undefined;
/** The policy is asked according to what there is at the path. */
const looksAnd = (method: keyof FileSystem) => (fileSystem: FileSystem) =>
  fileSystem.lstat !== undefined && fileSystem[method] !== undefined;

/** By their names on the wire, in the order in which they are announced. */
export const extensions: ReadonlyMap<string, Extension> = new Map<string, Extension>([
  ["posix-rename@openssh.com", { kind: posixRename, data: "1", isPossible: looksAnd("posixRename") }],
  ["statvfs@openssh.com", { kind: statvfs, data: "2", isPossible: looksAnd("statvfs") }],
  ["fstatvfs@openssh.com", { kind: fstatvfs, data: "2", isPossible: looksAnd("statvfs") }],
  ["hardlink@openssh.com", { kind: hardlink, data: "1", isPossible: (it) => it.hardlink !== undefined }],
  ["fsync@openssh.com", { kind: fsync, data: "1", isPossible: opensFiles }],
  ["lsetstat@openssh.com", { kind: lsetstat, data: "1", isPossible: looksAnd("setstat") }],
  ["limits@openssh.com", { kind: limits, data: "1", isPossible: always }],
  ["expand-path@openssh.com", { kind: expandPath, data: "1", isPossible: always }],
  ["copy-data", { kind: copyData, data: "1", isPossible: opensFiles }],
  ["home-directory", { kind: homeDirectory, data: "1", isPossible: always }],
  [
    "users-groups-by-id@openssh.com",
    { kind: usersGroupsById, data: "1", isPossible: (it) => (it.userNames ?? it.groupNames) !== undefined },
  ],
  ["check-file", { kind: checkFile, data: "1", isPossible: opensFiles }],
  ["check-file-handle", { kind: checkFileHandle, data: "1", isPossible: opensFiles }],
  ["check-file-name", { kind: checkFileName, data: "1", isPossible: opensFiles }],
]);
