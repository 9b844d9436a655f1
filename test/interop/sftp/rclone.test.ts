import { mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeTree, type TreeFeature } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

/** What rclone leaves out or writes with other characters, whatever the server. */
const WITHOUT: readonly TreeFeature[] = ["links", "control characters", "invalid UTF-8", "both normal forms"];

describe("rclone", needs("rclone"), () => {
  const fixture = sftpFixture();
  const remote = (name: string) => join(fixture.root, name);
  const local = (name: string) => join(fixture.local, name);
  const rclone = (...parameters: string[]) => fixture.runOk("rclone", parameters);
  const sync = (from: string, to: string) => rclone("sync", "--create-empty-src-dirs", from, to);
  /** What it transfers and deletes is told on stderr. */
  async function doneBy(...parameters: string[]): Promise<string[]> {
    const { code, stderr } = await fixture.run("rclone", ["-v", ...parameters]);
    expect(code, stderr).toBe(0);
    return stderr.match(/INFO +: .*: (?:Copied|Deleted|Updated|Removing|Set|Moved).*/g) ?? [];
  }

  it("syncs a tree with its times both ways, finds no difference, and syncs only what differs", async () => {
    await makeTree(local("tree"), { without: WITHOUT });
    await sync(local("tree"), `${HOST}:tree`);
    expect(await treeDifferences(local("tree"), remote("tree"), ["times"])).toEqual([]);
    if (isLong) await rclone("check", local("tree"), `${HOST}:tree`);
    await rclone("check", "--download", local("tree"), `${HOST}:tree`);

    await sync(`${HOST}:tree`, local("back"));
    expect(await treeDifferences(local("tree"), local("back"), ["times"])).toEqual([]);

    // Only what differs.
    expect(await doneBy("sync", local("tree"), `${HOST}:tree`)).toEqual([]);

    await rm(local("tree/deep"), { recursive: true });
    await writeFile(local("tree/plain.txt"), "changed");
    expect(await doneBy("sync", "--create-empty-src-dirs", local("tree"), `${HOST}:tree`)).not.toEqual([]);
    expect(await treeDifferences(local("tree"), remote("tree"), ["times"])).toEqual([]);
  });

  it("finds a difference", async () => {
    for (const folder of [local("a"), remote("a")]) await mkdir(folder);
    await writeFile(local("a/file"), "one");
    await writeFile(remote("a/file"), "two");
    const { code, stderr } = await fixture.run("rclone", ["check", "--download", local("a"), `${HOST}:a`]);
    expect(code).toBe(1);
    expect(stderr).toContain("1 differences found");
  });

  it("lists, moves, shows, writes, touches and deletes", async () => {
    await mkdir(remote("dir/sub"), { recursive: true });
    await writeFile(remote("dir/file"), "content");
    expect(await rclone("lsf", "-R", `${HOST}:`)).toBe("dir/\ndir/file\ndir/sub/\n");
    expect(await rclone("cat", "--offset", "3", `${HOST}:dir/file`)).toBe("tent");
    await rclone("moveto", `${HOST}:dir/file`, `${HOST}:dir/sub/moved`);
    expect(await readFile(remote("dir/sub/moved"), "utf8")).toBe("content");
    await rclone("moveto", `${HOST}:dir`, `${HOST}:renamed`);
    await rclone("rcat", `${HOST}:renamed/typed`);
    await rclone("touch", "-t", "2001-02-03T04:05:06", `${HOST}:renamed/typed`);
    expect(await rclone("lsl", `${HOST}:renamed/typed`)).toMatch(/^ +0 2001-02-03 04:05:06\.0+ typed\n$/);
    await rclone("purge", `${HOST}:renamed/sub`);
    await rclone("delete", `${HOST}:renamed`);
    await rclone("rmdirs", `${HOST}:renamed`);
    expect(await readdir(fixture.root)).toEqual([]);
  });

  it("asks how much room there is", async () => {
    const { total } = JSON.parse(await rclone("about", "--json", `${HOST}:`));
    const { blocks, bsize } = await statfs(fixture.root);
    expect(total).toBe(blocks * bsize);
  });
});
