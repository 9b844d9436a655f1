import { rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { extent, isLong } from "../../support/extent.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeManyFiles, makeSparseFile, manyNames, readSparseFile } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const VERY_MANY = extent(1_000, 10_000);
/** Of what OpenSSH's client does not only list, and of what the others list. */
const MANY = extent(200, 10_000);
const TIMEOUT = 120_000;

const fixture = sftpFixture();
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);
const lines = (output: string) => output.trimEnd().split("\n");

describe("sftp", needs("sftp"), () => {
  const sftp = (...commands: string[]) => {
    const input = Buffer.from(commands.map((command) => `@${command}\n`).join(""));
    return fixture.runOk("sftp", ["-q", "-b", "-", HOST], { input, timeout: TIMEOUT });
  };

  it("lists very many files, and gets and puts many", { timeout: TIMEOUT }, async () => {
    await makeManyFiles(remote("many"), VERY_MANY);
    const listed = lines(await sftp("ls -l many"));
    expect(listed.map((line) => line.slice(-10))).toEqual(manyNames(VERY_MANY));
    await makeManyFiles(remote("gotten"), MANY);
    await sftp(`get -r gotten ${local("got")}`);
    expect(await treeDifferences(remote("gotten"), local("got"))).toEqual([]);

    await makeManyFiles(local("many"), MANY);
    await sftp(`put -r ${local("many")} put`);
    expect(await treeDifferences(local("many"), remote("put"))).toEqual([]);
  });

  if (isLong)
    it("gets 5 GiB", { timeout: TIMEOUT }, async () => {
      await makeSparseFile(remote("large"), 5 * GIB);
      await sftp(`get large ${local("got")}`);
      expect(await readSparseFile(local("got"))).toEqual(await readSparseFile(remote("large")));
      await rm(local("got"));
    });

  it("puts and gets what is around the border of 4 GiB", { timeout: TIMEOUT }, async () => {
    const size = 4 * GIB + 16 * MIB;
    await makeSparseFile(local("large"), size);
    await makeSparseFile(remote("large"), size);
    const whole = await readSparseFile(local("large"));
    await truncate(remote("large"), size - 32 * MIB);
    await sftp(`reput ${local("large")} large`);
    expect(await readSparseFile(remote("large"))).toEqual(whole);

    await truncate(local("large"), size - 32 * MIB);
    await sftp(`reget large ${local("large")}`);
    expect(await readSparseFile(local("large"))).toEqual(whole);
  });
});

describe("many entries", () => {
  it("psftp", needs("psftp"), async () => {
    await makeManyFiles(remote("many"), MANY);
    await writeFile(local("batch"), "ls many\n");
    const output = await fixture.runOk("psftp", ["-b", local("batch"), "127.0.0.1"]);
    expect(output.match(/^-rw.*file \d{5}$/gm)).toHaveLength(MANY);
  });

  it("lftp", needs("lftp"), async () => {
    await makeManyFiles(remote("many"), MANY);
    expect(lines(await fixture.runOk("lftp", ["cd many", "cls -1"]))).toEqual(manyNames(MANY));
  });

  it("rclone", needs("rclone"), async () => {
    await makeManyFiles(remote("many"), MANY);
    expect(lines(await fixture.runOk("rclone", ["lsf", `${HOST}:many`]))).toEqual(manyNames(MANY));
  });

  it("curl", needs("curl"), async () => {
    await makeManyFiles(remote("many"), MANY);
    const url = `sftp://127.0.0.1:${fixture.server.port}/~/many/`;
    const listed = lines(await fixture.runOk("curl", ["--list-only", url])).filter((name) => !name.startsWith("."));
    expect(listed.sort()).toEqual(manyNames(MANY));
  });
});
