import { lstat, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const HOST = "127.0.0.1";
const fixture = sftpFixture();
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);

describe("psftp", needs("psftp"), () => {
  async function batch(lines: readonly string[]): Promise<string[]> {
    const file = local("batch");
    await writeFile(file, `${lines.join("\n")}\n`);
    return ["-b", file, HOST];
  }
  const psftp = async (...lines: string[]) => fixture.runOk("psftp", await batch(lines));
  const psftpFails = async (...lines: string[]) => {
    const { code, stdout, stderr } = await fixture.run("psftp", await batch(lines));
    expect(code, stderr).toBe(2);
    return `${stdout}${stderr}`;
  };

  it("gets and puts a whole tree", async () => {
    await makeTree(remote("tree"), { without: ["links"] });
    await psftp(`get -r tree ${local("got")}`, `put -r ${local("got")} put`);
    expect(await treeDifferences(remote("tree"), local("got"))).toEqual([]);
    expect(await treeDifferences(remote("tree"), remote("put"))).toEqual([]);
  });

  it("resumes what was cut off, both ways", async () => {
    const whole = testBytes(2_000_000);
    await writeFile(remote("file"), whole);
    await writeFile(local("file"), whole.subarray(0, 700_001));
    await psftp(`reget file ${local("file")}`);
    expect(whole.equals(await readFile(local("file")))).toBe(true);

    await truncate(remote("file"), 1_300_000);
    await psftp(`reput ${local("file")} file`);
    expect(whole.equals(await readFile(remote("file")))).toBe(true);
  });

  it("works with several files at once", async () => {
    for (const name of ["a1.txt", "a2.txt", "b.txt"]) await writeFile(remote(name), name);
    await mkdir(remote("up"));
    await psftp(`lcd ${fixture.local}`, "mget a*.txt", "cd up", `mput ${local("a?.txt")}`, "cd ..", "del a*.txt");
    expect((await readdir(fixture.local)).sort()).toEqual(["a1.txt", "a2.txt", "batch"]);
    expect(await readdir(remote("up"))).toEqual(["a1.txt", "a2.txt"]);
    expect(await readdir(fixture.root)).toEqual(["b.txt", "up"]);
  });

  it("makes, renames, removes, lists and changes modes", async () => {
    await writeFile(remote("file"), "content");
    const output = await psftp("mkdir one two", "mv file one", "chmod 700 one/file", "ls one", "rmdir two", "pwd");
    expect(output).toMatch(/-rwx------ +\S+ +\S+ +\S+ +7 .* file/);
    expect(await readdir(fixture.root)).toEqual(["one"]);
    expect((await lstat(remote("one/file"))).mode & 0o777).toBe(0o700);
  });

  it("hears why something failed", async () => {
    await mkdir(remote("dir/sub"), { recursive: true });
    expect(await psftpFails("get missing")).toContain("no such file or directory");
    expect(await psftpFails("rmdir dir")).toMatch(/dir: failure/);
    expect(await psftpFails("cd missing")).toContain("no such file or directory");
  });
});

for (const protocol of ["-sftp", "-scp"]) {
  describe(`pscp ${protocol}`, needs("pscp"), () => {
    const pscp = (...parameters: string[]) => fixture.runOk("pscp", ["-q", protocol, ...parameters]);

    // psftp does so over SFTP.
    if (isLong || protocol === "-scp")
      it("gets and puts a whole tree with its times", async () => {
        await makeTree(remote("tree"), { without: ["links", "backslashes", "newlines", "leading spaces"] });
        await mkdir(remote("put"));
        await pscp("-r", "-p", `${HOST}:tree`, fixture.local);
        expect(await treeDifferences(remote("tree"), local("tree"), ["times"])).toEqual([]);
        await pscp("-r", "-p", local("tree"), `${HOST}:put`);
        expect(await treeDifferences(remote("tree"), remote("put/tree"), ["times"])).toEqual([]);
      });

    it("gets what a pattern matches", async () => {
      for (const name of ["a1.txt", "a2.txt", "b.txt"]) await writeFile(remote(name), name);
      await pscp("-unsafe", `${HOST}:a*.txt`, fixture.local);
      expect(await readdir(fixture.local)).toEqual(["a1.txt", "a2.txt"]);
    });

    it("hears that a file is missing", async () => {
      const { code, stdout, stderr } = await fixture.run("pscp", [protocol, `${HOST}:missing`, fixture.local]);
      expect(code).toBe(1);
      expect(`${stdout}${stderr}`).toMatch(/no such file or directory/i);
    });
  });
}

it("pscp lists a directory", needs("pscp"), async () => {
  await writeFile(remote("file"), "content");
  expect(await fixture.runOk("pscp", ["-ls", `${HOST}:.`])).toMatch(/-rw-r--r-- +\S+ +\S+ +\S+ +7 .* file\n/);
});
