import { chmod, lutimes, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST, type Operation } from "../../support/clients-sftp.js";
import { type SFTPFixture, sftpFixture } from "../../support/sftp-fixture.js";
import { OpensshSFTPGuideServer } from "../../support/sftp-server.js";
import { treeDifferences } from "../../support/tree-compare.js";

const [FAILURE, BAD_MESSAGE] = [4, 5];
const LONG_NAME = "x".repeat(300);

/** What succeeds and what fails in every way there is, each with what went before it. */
const OPERATIONS: readonly Operation[] = [
  ...["stat", "lstat", "remove", "rmdir", "list", "readlink"].flatMap((name): Operation[] =>
    ["missing", "missing/file", "file/file", LONG_NAME].map((path) => [name, path]),
  ),
  ...["stat", "lstat"].flatMap((name): Operation[] =>
    [".", "dir", "dir/", "dir/.", "to-dir", "to-dir/", "to-dir/file", "dangling"].map((path) => [name, path]),
  ),
  ...["missing", "missing/file", "file", "file/file", "to-file", "dangling", LONG_NAME].map(
    (path): Operation => ["open", path, "r"],
  ),
  ...["missing/new", "file/new", "dir", "to-dir", LONG_NAME].map((path): Operation => ["open", path, "w"]),
  ["open", "dir", "r+"],
  ["open", "missing", "r+"],
  ["open", "file", "wx"],
  ["open", "dangling", "wx"],
  ["open", "dangling", "w"],
  ["stat", "nowhere"],
  ...["list", "listLong"].flatMap((name): Operation[] => ["dir", "to-dir", "file"].map((path) => [name, path])),
  ...["file", "dir", "missing/new", "file/new", "to-dir", LONG_NAME].map((path): Operation => ["mkdir", path]),
  ...["dir", "file", "to-dir", "."].map((path): Operation => ["rmdir", path]),
  ...["dir", "."].map((path): Operation => ["remove", path]),
  ["rename", "file", "other"],
  ["rename", "missing", "new"],
  ["rename", "file", "missing/new"],
  ["rename", "file", "file/new"],
  ["rename", "dir", "dir/inside"],
  ["rename", "file", "dir"],
  ["rename", "file", "renamed"],
  ["rename", "renamed", "file"],
  ["posix_rename", "missing", "new"],
  ["posix_rename", "file", "dir"],
  ["posix_rename", "dir", "file"],
  ["posix_rename", "dir", "to-dir"],
  ["posix_rename", "other", "to-file"],
  ["lstat", "to-file"],
  ["hardlink", "missing", "new"],
  ["hardlink", "file", "dir"],
  ["hardlink", "dir", "new"],
  ["hardlink", "file", "hard"],
  ["readlink", "file"],
  ["readlink", "to-dir"],
  ["readlink", "dangling"],
  ["chmod", "missing", 0o600],
  ["chmod", "to-dir", 0o750],
  ["stat", "dir"],
  ["utime", "file", 1, 2],
  ["truncate", "dir", 1],
  ["truncate", "missing", 1],
  ["truncate", "file", 3],
  ["read", "file", 0, 100],
  ["read", "file", 100, 100],
  ["write", "file", 5, "ab"],
  ["read", "file", 0, 100],
  ["append", "file", "end"],
  ["read", "file", 0, 100],
  ["read", "dir", 0, 100],
  ["remove", "dangling"],
  ["remove", "to-dir"],
  ["remove", "hard"],
  ["list", "."],
];

const PATHS = [
  ".",
  "",
  "dir",
  "dir/..",
  "./dir//file",
  "to-dir",
  "to-dir/..",
  "to-dir/file",
  "new",
  "dir/new",
  "to-file",
];
const BAD_PATHS = ["missing/new", "file/new"];

const BATCH = [
  ...["pwd", "ls", "ls -1", "ls -l", "ls -ln", "ls -lr dir", "ls -l file", "ls -lh", "ls -1a", "ls -la dir"],
  ...["ls -1 d*", "ls -1 *", "ls -l missing", "ls missing*", "cd dir", "pwd", "cd ..", "cd file", "cd missing"],
  ...["mkdir new", "mkdir new", "mkdir missing/new", "rmdir new", "rmdir new", "rmdir dir", "rm dir", "rm missing"],
  ...["rename file renamed", "rename renamed file", "rename missing file", "rename -l file other", "rename file dir"],
  ...["ln file hard", "ln missing hard2", "ln -s file soft", "ln -s file soft", "ls -l soft", "rm soft hard"],
  ...["chmod 600 file", "chmod 600 missing", "ls -l file", "copy file copied", "copy missing new", "copy dir new"],
  ...["chown 0 missing", "get missing /dev/null", "get dir /dev/null"],
];

describe("as OpenSSH's sftp-server", needs("sftp-server", "ssh-keygen"), () => {
  const ours = sftpFixture();
  const theirs = sftpFixture(new OpensshSFTPGuideServer());

  /** Of all files, seconds: listings show the minute, and one may end between the two sides. */
  const now = Math.floor(Date.now() / 1000);

  async function fill({ root }: SFTPFixture): Promise<void> {
    const at = (path: string) => join(root, path);
    await mkdir(at("dir"));
    for (const path of ["file", "other", "dir/file"]) await writeFile(at(path), path);
    await symlink("dir", at("to-dir"));
    await symlink("file", at("to-file"));
    await symlink("nowhere", at("dangling"));
    await chmod(at("other"), 0o4751);
    await lutimes(at("other"), 1_000_000_000, 1_000_000_000);
    for (const path of ["dir/file", "file", "to-dir", "to-file", "dangling", "dir"]) await lutimes(at(path), now, now);
    await lutimes(root, now, now);
  }

  /** OpenSSH calls a bad message what is bad with a name; here it is a failure, for the message itself is good. */
  const withoutBadMessages = (status: number) => (status === BAD_MESSAGE ? FAILURE : status);
  /** What is told of times that the operations themselves set is not the same on both sides. */
  const withoutTimes = (text: string) => text.replace(/"(?:accessed|modified)":\d+/g, '"time":0');
  /** The root is not the root of OpenSSH's paths. */
  const fromRoot = (text: string, { root }: SFTPFixture) => text.replaceAll(`${root}/`, "/").replaceAll(root, "/");

  async function outcomes(fixture: SFTPFixture, operations: readonly Operation[]): Promise<string[]> {
    await fill(fixture);
    const results = await fixture.operate("ssh2", operations);
    return results.map(({ value, status }, index) => {
      const [name, path, ...parameters] = operations[index] ?? [];
      const request = [name, `${path}`.slice(0, 30), ...parameters].join(" ");
      return fromRoot(
        withoutTimes(`${request}: ${status === undefined ? JSON.stringify(value) : withoutBadMessages(status)}`),
        fixture,
      );
    });
  }

  it("gives the same results and the same statuses", async () => {
    expect(await outcomes(ours, OPERATIONS)).toEqual(await outcomes(theirs, OPERATIONS));
    expect(await treeDifferences(theirs.root, ours.root, ["modes"])).toEqual([]);
  });

  it("gives the same real paths", async () => {
    const operations = [...PATHS, ...BAD_PATHS].map((path): Operation => ["realpath", path]);
    expect(await outcomes(ours, operations)).toEqual(await outcomes(theirs, operations));
  });

  it("looks the same in sftp", needs("sftp"), async () => {
    const outputs: string[][] = [];
    for (const fixture of [ours, theirs]) {
      await fill(fixture);
      const input = Buffer.from(BATCH.map((line) => `-${line}\n`).join(""));
      const { stdout, stderr } = await fixture.run("sftp", ["-q", "-b", "-", HOST], { input });
      outputs.push(fromRoot(`${stdout}${stderr}`, fixture).split(/\r?\n/));
    }
    expect(outputs[0]).toEqual(outputs[1]);
  });
});
