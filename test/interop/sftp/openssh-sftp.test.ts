import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const ALL = ["modes", "times", "directory modes", "directory times"] as const;
const IS_ROOT = process.getuid?.() === 0;
const fixture = sftpFixture();

for (const client of isLong ? (["sftp", "sftp10"] as const) : (["sftp10"] as const)) {
  describe(client, needs(client), () => {
    const batch = (lines: readonly string[]) => ({ input: Buffer.from(`${lines.join("\n")}\n`) });
    const sftp = (...lines: string[]) => fixture.runOk(client, ["-q", "-b", "-", HOST], batch(lines));
    /** For what fails: what it said. A batch ends at the first line that fails, unless that starts with `-`. */
    const sftpFails = async (...lines: string[]) => {
      const { code, stderr } = await fixture.run(client, ["-q", "-b", "-", HOST], batch(lines));
      expect(code).toBe(1);
      return stderr;
    };
    const remote = (name: string) => join(fixture.root, name);
    const local = (name: string) => join(fixture.local, name);
    const modeOf = async (path: string) => ((await lstat(path)).mode & 0o7777).toString(8);

    it("gets and puts a whole tree with its modes and times", async () => {
      await makeTree(remote("tree"), { without: ["links"] });
      await sftp(`get -rp tree ${local("got")}`, `put -rp ${local("got")} put`);
      expect(await treeDifferences(remote("tree"), local("got"), ALL)).toEqual([]);
      expect(await treeDifferences(remote("tree"), remote("put"), ALL)).toEqual([]);
    });

    it("resumes what was cut off, both ways", async () => {
      const whole = testBytes(2_000_000);
      await writeFile(remote("file"), whole);
      await writeFile(local("file"), whole.subarray(0, 700_001));
      await sftp(`reget file ${local("file")}`);
      expect(whole.equals(await readFile(local("file")))).toBe(true);

      await truncate(remote("file"), 1_300_000);
      await sftp(`reput ${local("file")} file`);
      expect(whole.equals(await readFile(remote("file")))).toBe(true);
    });

    it("replaces a longer file, synced to disk", async () => {
      await writeFile(remote("file"), testBytes(100_000));
      await writeFile(local("short"), "short");
      await sftp(`put -f ${local("short")} file`, `get -f file ${local("file")}`);
      expect(await readFile(local("file"), "utf8")).toBe("short");
    });

    it("makes links, and follows them inside the root only", async () => {
      await mkdir(remote("folder"));
      await writeFile(remote("folder/file"), "content");
      await writeFile(local("secret"), "not to be seen");
      await symlink(fixture.local, remote("out"));
      await symlink("../../../../../../../../../../etc", remote("folder/up"));
      await sftp("ln folder/file hard", "ln -s folder/file soft", "ln -s /folder/file absolute", "symlink folder dir");
      expect((await stat(remote("hard"))).ino).toBe((await stat(remote("folder/file"))).ino);
      expect(await readlink(remote("soft"))).toBe("folder/file");
      expect(await readlink(remote("absolute"))).toBe("/folder/file");
      for (const name of ["hard", "soft", "absolute", "dir/file"]) {
        await sftp(`get ${name} ${local("got")}`);
        expect(await readFile(local("got"), "utf8")).toBe("content");
      }
      for (const name of ["out/secret", "folder/up/passwd", "folder/up/../../../../../../../../../etc/passwd"])
        expect(await sftpFails(`get ${name} ${local("stolen")}`)).toContain("not found");
      expect(await readdir(fixture.local)).not.toContain("stolen");
    });

    it("starts at the root and stays in it", async () => {
      await mkdir(remote("a"));
      const output = await sftp("pwd", "cd a", "pwd", "cd ../../../..", "pwd");
      expect(output.match(/Remote working directory: .*/g)).toEqual([
        "Remote working directory: /",
        "Remote working directory: /a",
        "Remote working directory: /",
      ]);
    });

    it("renames, removes, makes and removes directories", async () => {
      for (const name of ["one", "two", "three"]) await writeFile(remote(name), name);
      await sftp("mkdir dir", "mkdir dir/empty", "rename one dir/one", "rename two three", "rmdir dir/empty");
      expect(await readdir(fixture.root)).toEqual(["dir", "three"]);
      expect(await readdir(remote("dir"))).toEqual(["one"]);
      expect(await readFile(remote("three"), "utf8")).toBe("two");

      expect(await sftpFails("rmdir dir")).toMatch(/rmdir .*dir"?: Failure/);
      // The rename of the draft does not replace; the one of OpenSSH's extension does.
      expect(await sftpFails("rename -l three dir/one")).toContain("Failure");
      await sftp("rm dir/one", "rmdir dir", "rm three");
      expect(await readdir(fixture.root)).toEqual([]);
    });

    it("copies a file on the server", async () => {
      const content = testBytes(1_000_000);
      await writeFile(remote("file"), content);
      await sftp("copy file copied");
      expect(content.equals(await readFile(remote("copied")))).toBe(true);
    });

    it("changes modes and owners", async () => {
      await writeFile(remote("file"), "");
      const { uid, gid } = await stat(remote("file"));
      // Only root can give files away.
      const [owner, group] = uid === 0 ? [12_345, 23_456] : [uid, gid];
      await sftp("chmod 640 file", `chown ${owner} file`, `chgrp ${group} file`);
      expect(await modeOf(remote("file"))).toBe("640");
      expect(await stat(remote("file"))).toMatchObject({ uid: owner, gid: group });
    });

    it.runIf(IS_ROOT)("changes the owner of a link, or of what it leads to", async () => {
      await writeFile(remote("file"), "");
      await symlink("file", remote("link"));
      await sftp("chown -h 111 link", "chgrp -h 222 link", "chown 333 link", "chgrp 444 link");
      expect(await lstat(remote("link"))).toMatchObject({ uid: 111, gid: 222 });
      expect(await stat(remote("file"))).toMatchObject({ uid: 333, gid: 444 });
    });

    it("lists", async () => {
      await mkdir(remote("dir"), { mode: 0o750 });
      await writeFile(remote("one.txt"), "1", { mode: 0o640 });
      await writeFile(remote("two.txt"), "22");
      await writeFile(remote(".hidden"), "");
      await symlink("one.txt", remote("soft"));
      const names = (output: string) => output.split("\n").filter((line) => line !== "" && !line.startsWith("sftp>"));
      expect(names(await sftp("ls -1"))).toEqual(["dir", "one.txt", "soft", "two.txt"]);
      const all = names(await sftp("ls -1a")).filter((name) => name !== "." && name !== "..");
      expect(all).toEqual([".hidden", "dir", "one.txt", "soft", "two.txt"]);
      expect(names(await sftp("ls -1 *.txt"))).toEqual(["one.txt", "two.txt"]);
      expect(names(await sftp("ls -1r [a-z]*.*"))).toEqual(["two.txt", "one.txt"]);

      const long = names(await sftp("ls -l"));
      expect(long.map((line) => line.split(/ +/)[0])).toEqual(["drwxr-x---", "-rw-r-----", "lrwxrwxrwx", "-rw-r--r--"]);
      for (const line of long)
        expect(line).toMatch(/^\S{10} +(\d+|\?) \S+ +\S+ +\d+ [A-Z][a-z]{2} [ \d]\d +[\d:]+ \S+$/);
    });

    it.runIf(IS_ROOT)("learns the names of owners from the server", async () => {
      await writeFile(remote("file"), "");
      expect(await sftp("ls -lh file")).toMatch(/-rw-r--r-- +\S+ root +root +0B /);
    });

    it("lists an empty folder: itself, and the one above", async () => {
      await mkdir(remote("empty"), { mode: 0o750 });
      const lines = (await sftp("ls -la empty"))
        .split(/\r?\n/)
        .filter((line) => line !== "" && !line.startsWith("sftp>"));
      expect(lines).toEqual([
        expect.stringMatching(/^drwxr-x--- .* empty\/\.$/),
        expect.stringMatching(/^drwx.* empty\/\.\.$/),
      ]);
    });

    it("gets, puts and removes what a pattern matches", async () => {
      for (const name of ["a1.txt", "a2.txt", "b1.txt", "a1.log"]) await writeFile(remote(name), name);
      await mkdir(remote("up"));
      await sftp(`get a?.txt ${fixture.local}`, `put ${local("*")} up/`, "rm *.txt");
      expect(await readdir(fixture.local)).toEqual(["a1.txt", "a2.txt"]);
      expect(await readdir(remote("up"))).toEqual(["a1.txt", "a2.txt"]);
      expect(await readdir(fixture.root)).toEqual(["a1.log", "up"]);
    });

    it("asks how much room there is", async () => {
      const output = await sftp("df", "df -hi /");
      expect(output).toMatch(/Size +Used +Avail +\(root\) +%Capacity\n +\d+ +\d+ +\d+ +\d+ +\d+%/);
      expect(output).toMatch(/Inodes +Used +Avail +\(root\) +%Capacity\n/);
    });

    it("hears why something failed, and goes on", async () => {
      await writeFile(remote("file"), "");
      const said = await sftpFails("-get missing", "-mkdir file", "-rm missing", "cd file");
      expect(said.split(/\r?\n/)).toEqual([
        expect.stringMatching(/missing" not found/),
        expect.stringMatching(/mkdir.*file.*Failure/),
        expect.stringMatching(/missing.*No such file/),
        expect.stringMatching(/file.* not a directory/),
        "",
      ]);
      expect(await sftpFails(`put ${local("none")}`)).toContain("No such file");
    });
  });
}
