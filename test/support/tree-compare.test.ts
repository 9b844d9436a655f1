import { chmod, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./tools.js";
import { makeTree } from "./tree.js";
import { treeDifferences } from "./tree-compare.js";

describe("treeDifferences", () => {
  const folder = temporaryFolder();
  const ALL = ["modes", "times", "directory modes", "directory times"] as const;

  it("finds none between two trees made alike", async () => {
    for (const name of ["one", "two"]) await makeTree(join(folder, name));
    expect(await treeDifferences(join(folder, "one"), join(folder, "two"), ALL)).toEqual([]);
  });

  it("tells of each that there is", async () => {
    const [wanted, found] = [join(folder, "wanted"), join(folder, "found")];
    for (const tree of [wanted, found]) {
      await mkdir(join(tree, "dir"), { recursive: true });
      for (const name of ["same", "content", "mode", "time", "type", "missing"])
        await writeFile(join(tree, name), name);
      await symlink("here", join(tree, "link"));
    }
    await writeFile(join(found, "content"), "another");
    await chmod(join(found, "mode"), 0o600);
    await chmod(join(wanted, "mode"), 0o644);
    await utimes(join(wanted, "time"), 5, 5);
    await utimes(join(found, "time"), 6, 6);
    for (const name of ["type", "missing", "link"]) await rm(join(found, name));
    await mkdir(join(found, "type"));
    await symlink("there", join(found, "link"));
    await writeFile(join(found, "dir/added"), "");
    await chmod(join(found, "dir"), 0o700);
    await chmod(join(wanted, "dir"), 0o755);

    const always = [
      '"content": holds 7 bytes (SHA-256 ae448ac86c4e8e4d…), not 7 bytes (SHA-256 ed7002b439e9ac84…)',
      '"dir/added" is too many',
      '"link": holds "there", not "here"',
      '"missing" is missing',
      '"type": a directory, not a file',
    ];
    expect((await treeDifferences(wanted, found)).sort()).toEqual(always);
    expect(await treeDifferences(wanted, found, ["modes"])).toContain('"mode": mode 600, not 644');
    expect(await treeDifferences(wanted, found, ["times"])).toContain('"time": modified at 6, not 5');
    expect(await treeDifferences(wanted, found, ["directory modes"])).toContain('"dir": mode 700, not 755');
  });
});
