import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { extensions } from "../../../../src/sftp/server/requests/extensions.js";
import { requestKinds, requestNames } from "../../../../src/sftp/server/requests/registry.js";
import { init, readExtensions } from "../../../support/sftp-packets.js";
import { attachSession, type TestSessionOptions } from "../session.js";

const ALWAYS = ["limits@openssh.com", "expand-path@openssh.com", "home-directory"];
const OF_FILES = ["fsync@openssh.com", "copy-data", "check-file", "check-file-handle", "check-file-name"];

async function announced(files: FileSystem, options: TestSessionOptions = {}): Promise<Map<string, string>> {
  const { client } = attachSession(files, options);
  client.send(init());
  return readExtensions(await client.version());
}

async function names(files: FileSystem, options: TestSessionOptions = {}): Promise<string[]> {
  return [...(await announced(files, options)).keys()].sort();
}

const lstat: FileSystem["lstat"] = () => ({ type: "file", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 });
const nothing = () => {};

describe("extensions", () => {
  it("are announced with their versions", async () => {
    const files = new MemoryFileSystem();
    expect([...(await announced(files))]).toEqual([
      ["posix-rename@openssh.com", "1"],
      ["statvfs@openssh.com", "2"],
      ["fstatvfs@openssh.com", "2"],
      ["hardlink@openssh.com", "1"],
      ["fsync@openssh.com", "1"],
      ["lsetstat@openssh.com", "1"],
      ["limits@openssh.com", "1"],
      ["expand-path@openssh.com", "1"],
      ["copy-data", "1"],
      ["home-directory", "1"],
      ["check-file", "1"],
      ["check-file-handle", "1"],
      ["check-file-name", "1"],
    ]);
  });

  it.each<[what: string, files: FileSystem, expected: readonly string[]]>([
    ["directories alone", { mkdir: nothing }, []],
    ["lstat", { lstat }, []],
    ["open", { open: () => ({}) }, OF_FILES],
    ["posixRename", { lstat, posixRename: nothing }, ["posix-rename@openssh.com"]],
    ["statvfs", { lstat, statvfs: () => Promise.reject() }, ["statvfs@openssh.com", "fstatvfs@openssh.com"]],
    ["hardlink", { hardlink: nothing }, ["hardlink@openssh.com"]],
    ["setstat", { lstat, setstat: nothing }, ["lsetstat@openssh.com"]],
    ["userNames", { userNames: () => [] }, ["users-groups-by-id@openssh.com"]],
    ["groupNames", { groupNames: () => [] }, ["users-groups-by-id@openssh.com"]],
    ["what needs lstat, without it", { posixRename: nothing, setstat: nothing, statvfs: () => Promise.reject() }, []],
  ])("of a file system with %s", async (_, files, expected) => {
    expect(await names(files)).toEqual([...ALWAYS, ...expected].sort());
  });

  it("that are denied are not announced", async () => {
    const deniedRequests = ["copy-data", "limits", "check-file", "check-file-handle", "check-file-name"];
    expect(await names({ open: () => ({}) }, { deniedRequests })).toEqual([
      "expand-path@openssh.com",
      "fsync@openssh.com",
      "home-directory",
    ]);
  });
});

describe("requestNames", () => {
  it("name each request once, as OpenSSH does", () => {
    expect(requestNames).toHaveLength(new Set(requestNames).size);
    expect(requestNames).toHaveLength(requestKinds.size + extensions.size);
    expect(requestNames).toEqual([
      ...["open", "close", "read", "write", "lstat", "fstat", "setstat", "fsetstat", "opendir", "readdir", "remove"],
      ...["mkdir", "rmdir", "realpath", "stat", "rename", "readlink", "symlink", "posix-rename", "statvfs", "fstatvfs"],
      ...["hardlink", "fsync", "lsetstat", "limits", "expand-path", "copy-data", "home-directory"],
      ...["users-groups-by-id", "check-file", "check-file-handle", "check-file-name"],
    ]);
  });
});
