import { lstat, mkdir, readdir, readFile, readlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";

describe("curl sftp://", needs("curl"), () => {
  const fixture = sftpFixture();
  const remote = (name: string) => join(fixture.root, name);
  const local = (name: string) => join(fixture.local, name);
  const url = (path: string) => `sftp://127.0.0.1:${fixture.server.port}${path}`;
  const curl = (...parameters: string[]) => fixture.runOk("curl", parameters);
  const whole = testBytes(2_000_000);

  it("puts and gets", async () => {
    await writeFile(local("file"), whole);
    await curl("--upload-file", local("file"), url("/with%20space%20%C3%BC"));
    expect(whole.equals(await readFile(remote("with space ü")))).toBe(true);
    await curl("--output", local("got"), url("/~/with%20space%20%C3%BC"));
    expect(whole.equals(await readFile(local("got")))).toBe(true);
  });

  it("resumes what was cut off, both ways", async () => {
    await writeFile(remote("file"), whole);
    await writeFile(local("file"), whole.subarray(0, 700_001));
    await curl("--continue-at", "-", "--output", local("file"), url("/file"));
    expect(whole.equals(await readFile(local("file")))).toBe(true);

    await truncate(remote("file"), 1_300_000);
    await curl("--continue-at", "-", "--upload-file", local("file"), url("/file"));
    expect(whole.equals(await readFile(remote("file")))).toBe(true);
  });

  it("gets a range", async () => {
    await writeFile(remote("file"), "0123456789");
    expect(await curl("--range", "3-5", url("/file"))).toBe("345");
    expect(await curl("--range", "-2", url("/file"))).toBe("89");
  });

  it("appends, and makes the directories on the way", async () => {
    await writeFile(local("part"), "part ");
    const target = url("/a/b/file");
    await curl("--ftp-create-dirs", "--upload-file", local("part"), target);
    await curl("--append", "--upload-file", local("part"), target);
    expect(await readFile(remote("a/b/file"), "utf8")).toBe("part part ");
  });

  it("lists", async () => {
    await mkdir(remote("dir"));
    await writeFile(remote("dir/file"), "content");
    expect(await curl(url("/dir/"))).toMatch(/^-rw-r--r-- +\S+ \S+ +\S+ +7 .* file$/m);
    expect((await curl("--list-only", url("/dir/"))).split("\n")).toContain("file");
  });

  it("makes, links, renames, removes and changes modes", async () => {
    await writeFile(remote("one"), "1");
    // With `*`, for this curl says of every server that its link failed, even though it is made.
    const commands = ["mkdir /dir", "rename /one /dir/two", "*ln /dir/two /soft", "chmod 600 /dir/two", "mkdir /gone"];
    const quotes = [...commands, "rmdir /gone"].flatMap((command) => ["--quote", command]);
    expect(await curl(...quotes, "--quote", "pwd", url("/dir/two"))).toBe("1");
    expect(await readdir(fixture.root)).toEqual(["dir", "soft"]);
    expect(await readlink(remote("soft"))).toBe("/dir/two");
    expect((await lstat(remote("dir/two"))).mode & 0o777).toBe(0o600);
    await curl("--quote", "rm /soft", "--quote", "*rm /missing", "--list-only", url("/"));
    expect(await readdir(fixture.root)).toEqual(["dir"]);
  });

  it("hears that a file is missing", async () => {
    const { code, stderr } = await fixture.run("curl", ["--insecure", url("/missing")]);
    expect(code, stderr).toBe(78);
  });
});
