import { lstat, mkdir, readdir, readFile, readlink, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

describe("lftp", needs("lftp"), () => {
  const fixture = sftpFixture();
  const remote = (name: string) => join(fixture.root, name);
  const local = (name: string) => join(fixture.local, name);
  const lftp = (...commands: string[]) => fixture.runOk("lftp", commands);

  it("mirrors a tree, with its links, modes and times, both ways", async () => {
    await makeTree(remote("tree"), { without: ["late times"] });
    await lftp(`mirror --no-umask tree ${local("got")}`);
    expect(await treeDifferences(remote("tree"), local("got"), ["modes", "times", "directory modes"])).toEqual([]);
    await lftp(`mirror -R --no-umask ${local("got")} put`);
    expect(await treeDifferences(remote("tree"), remote("put"), ["modes", "times", "directory modes"])).toEqual([]);
  });

  if (isLong)
    it("mirrors only what differs, and deletes what is gone", async () => {
      await makeTree(local("tree"), { without: ["late times"] });
      await lftp(`mirror -R ${local("tree")} tree`);
      expect(await lftp(`mirror -R --verbose=3 ${local("tree")} tree`)).not.toMatch(/Transferring|New:|Modified:/);

      await rm(local("tree/deep"), { recursive: true });
      await writeFile(local("tree/plain.txt"), "changed");
      const output = await lftp(`mirror -R --delete --verbose=3 ${local("tree")} tree`);
      expect(output.match(/Transferring.*/g)).toHaveLength(1);
      expect(await treeDifferences(local("tree"), remote("tree"), ["times"])).toEqual([]);
    });

  it("mirrors with several connections, and in parts", async () => {
    await makeTree(remote("tree"), { without: ["late times"] });
    await lftp(`mirror --parallel=4 --use-pget-n=4 tree ${local("got")}`);
    expect(await treeDifferences(remote("tree"), local("got"))).toEqual([]);
  });

  it("resumes what was cut off, both ways", async () => {
    const whole = testBytes(2_000_000);
    await writeFile(remote("file"), whole);
    await writeFile(local("file"), whole.subarray(0, 700_001));
    await lftp(`get -c file -o ${local("file")}`);
    expect(whole.equals(await readFile(local("file")))).toBe(true);

    await truncate(remote("file"), 1_300_000);
    await lftp(`put -c ${local("file")} -o file`);
    expect(whole.equals(await readFile(remote("file")))).toBe(true);
  });

  it("makes, links, renames, removes, changes modes and lists", async () => {
    for (const name of ["one", "two", "three.tmp"]) await writeFile(remote(name), name);
    await mkdir(remote("full/of"), { recursive: true });
    const output = await lftp(
      ...["mkdir -p a/b/c", "mv one a/b/c/one", "ln -s two soft", "chmod 600 two", "rm -r full", "mrm *.tmp"],
      ...["cls -1 a/b/c", "ls", "rmdir a/b/c || cat a/b/c/one"],
    );
    expect(await readdir(fixture.root)).toEqual(["a", "soft", "two"]);
    expect(await readlink(remote("soft"))).toBe("two");
    expect((await lstat(remote("two"))).mode & 0o777).toBe(0o600);
    expect(output).toMatch(/^a\/b\/c\/one\n(?:.*\n)*-rw-------.* two\n(?:.*\n)*one/);
  });
});
