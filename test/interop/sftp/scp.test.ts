import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { extent, isLong } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeTree, type TreeFeature } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

interface Protocol {
  readonly name: string;
  readonly options: readonly string[];
  /** What scp itself cannot carry with it. */
  readonly without: readonly TreeFeature[];
}

const PROTOCOLS: readonly Protocol[] = [
  { name: "over SFTP", options: [], without: ["links"] },
  { name: "with its old protocol", options: ["-O"], without: ["links", "newlines"] },
];

const ALL = ["modes", "times", "directory modes", "directory times"] as const;
/** Bytes. */
const LARGE = extent(5_000_000, 20_000_000);
const fixture = sftpFixture();

for (const client of isLong ? (["scp", "scp10"] as const) : (["scp"] as const))
  for (const { name, options, without } of PROTOCOLS) {
    describe(`${client} ${name}`, needs(client), () => {
      const remote = (path: string) => join(fixture.root, path);
      const local = (path: string) => join(fixture.local, path);
      const scp = (...parameters: string[]) => fixture.runOk(client, [...options, ...parameters]);
      const scpFails = async (...parameters: string[]) => {
        const { code, stderr } = await fixture.run(client, [...options, ...parameters]);
        expect(code, stderr).not.toBe(0);
        return stderr;
      };

      /** In the gate scp over SFTP does what is its own; the rest is tried by sftp, and with the old protocol. */
      const isWhole = isLong || options.length > 0;

      it("gets and puts a whole tree with its modes and times", async () => {
        await makeTree(remote("tree"), { without });
        await mkdir(remote("put"));
        await scp("-rp", `${HOST}:tree`, fixture.local);
        expect(await treeDifferences(remote("tree"), local("tree"), ALL)).toEqual([]);
        await scp("-rp", local("tree"), `${HOST}:put`);
        expect(await treeDifferences(remote("tree"), remote("put/tree"), ALL)).toEqual([]);
      });

      if (isWhole)
        it("replaces a longer file, and an executable one stays one", async () => {
          await writeFile(remote("file"), testBytes(100_000), { mode: 0o755 });
          await writeFile(local("short"), "short");
          await scp(local("short"), `${HOST}:file`);
          await scp(`${HOST}:file`, local("got"));
          expect(await readFile(local("got"), "utf8")).toBe("short");
          expect((await stat(remote("file"))).mode & 0o777).toBe(0o755);
        });

      if (isWhole)
        it("carries several files into a directory", async () => {
          for (const file of ["one", "two"]) await writeFile(local(file), file);
          await mkdir(remote("dir"));
          await scp(local("one"), local("two"), `${HOST}:dir`);
          expect(await readdir(remote("dir"))).toEqual(["one", "two"]);
          expect(await scpFails(local("one"), local("two"), `${HOST}:dir/one`)).not.toBe("");
          expect(await readFile(remote("dir/one"), "utf8")).toBe("one");
        });

      it("gets what a pattern matches", async () => {
        for (const file of ["a1.txt", "a2.txt", "b.txt", "a.log"]) await writeFile(remote(file), file);
        await scp(`${HOST}:a?.txt`, fixture.local);
        expect(await readdir(fixture.local)).toEqual(["a1.txt", "a2.txt"]);
      });

      it("knows the directory that it starts in as ~", async () => {
        await writeFile(remote("file"), "content");
        await scp(`${HOST}:~/file`, local("got"));
        expect(await readFile(local("got"), "utf8")).toBe("content");
      });

      if (isWhole)
        it("copies from the server to the server", async () => {
          const content = testBytes(300_000);
          await writeFile(remote("from"), content);
          await scp("-3", `${HOST}:from`, `${HOST}:to`);
          expect(content.equals(await readFile(remote("to")))).toBe(true);
        });

      it("follows links inside the root only", async () => {
        await writeFile(remote("file"), "content");
        await writeFile(local("secret"), "not to be seen");
        await symlink("/file", remote("inside"));
        await symlink(local("secret"), remote("outside"));
        await symlink(local("new"), remote("outside to be"));
        await scp(`${HOST}:inside`, local("got"));
        expect(await readFile(local("got"), "utf8")).toBe("content");
        await scpFails(`${HOST}:outside`, local("stolen"));
        await scpFails(`${HOST}:../../../../../../../../etc/passwd`, local("stolen"));
        await scpFails(local("secret"), `${HOST}:outside to be`);
        expect(await readdir(fixture.local)).toEqual(["got", "secret"]);
      });

      if (isWhole)
        it("carries a large file both ways", async () => {
          await writeFile(local("large"), testBytes(LARGE));
          await scp(local("large"), `${HOST}:large`);
          await scp(`${HOST}:large`, local("got"));
          expect(testBytes(LARGE).equals(await readFile(local("got")))).toBe(true);
        });

      if (isWhole)
        it("gets what there is beside what there is not", async () => {
          await writeFile(remote("there"), "content");
          expect(await scpFails(`${HOST}:missing`, `${HOST}:there`, fixture.local)).toMatch(
            /No such file or directory/,
          );
          expect(await readdir(fixture.local)).toEqual(["there"]);
        });

      it("hears why something failed", async () => {
        expect(await scpFails(`${HOST}:missing`, fixture.local)).toMatch(/No such file or directory/);
        await mkdir(remote("dir"));
        expect(await scpFails(`${HOST}:dir`, fixture.local)).toMatch(/not a regular file/);
        await writeFile(local("file"), "");
        expect(await scpFails(local("file"), `${HOST}:none/file`)).toMatch(/No such file or directory/);
      });
    });
  }
