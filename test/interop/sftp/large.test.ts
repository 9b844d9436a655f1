import { open, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isMissing } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { runOk } from "../../support/tools.js";
import { makeManyFiles, makeSparseFile, manyNames } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const MIB = 2 ** 20;
const FIVE_GIB = 5 * 2 ** 30;
const TEN_THOUSAND = 10_000;
const TIMEOUT = 90_000;

const fixture = sftpFixture();
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);
const lines = (output: string) => output.trimEnd().split("\n");

describe.skipIf(isMissing("sftp"))("sftp", () => {
  const sftp = (...commands: string[]) => {
    const input = Buffer.from(commands.map((command) => `@${command}\n`).join(""));
    return fixture.runOk("sftp", ["-q", "-b", "-", HOST], { input, timeout: TIMEOUT });
  };

  it("lists, gets and puts 10,000 files", { timeout: TIMEOUT }, async () => {
    await makeManyFiles(remote("many"), TEN_THOUSAND);
    const listed = lines(await sftp("ls -l many"));
    expect(listed.map((line) => line.slice(-10))).toEqual(manyNames(TEN_THOUSAND));
    await sftp(`get -r many ${local("got")}`, `put -r ${local("got")} put`);
    expect(await treeDifferences(remote("many"), local("got"))).toEqual([]);
    expect(await treeDifferences(remote("many"), remote("put"))).toEqual([]);
  });

  it("gets 5 GiB", { timeout: TIMEOUT }, async () => {
    await makeSparseFile(remote("large"), FIVE_GIB);
    await sftp(`get -p large ${local("got")}`);
    await runOk("cmp", [remote("large"), local("got")], { timeout: TIMEOUT });
    await rm(local("got"));
  });

  it("puts and gets the last MiB of 5 GiB", { timeout: TIMEOUT }, async () => {
    await makeSparseFile(local("large"), FIVE_GIB);
    await makeSparseFile(remote("large"), FIVE_GIB);
    await truncate(remote("large"), FIVE_GIB - MIB);
    await sftp(`reput ${local("large")} large`);
    expect(await ending(remote("large"))).toEqual(await ending(local("large")));

    await truncate(local("large"), FIVE_GIB - MIB);
    await sftp(`reget large ${local("large")}`);
    expect(await ending(local("large"))).toEqual(await ending(remote("large")));
  });
});

/** The last MiB of a file, and how long it is. */
async function ending(path: string): Promise<{ size: number; bytes: Buffer }> {
  const { size } = await stat(path);
  await using handle = await open(path);
  const bytes = Buffer.alloc(MIB);
  await handle.read(bytes, 0, MIB, size - MIB);
  return { size, bytes };
}

describe("10,000 entries", () => {
  it.skipIf(isMissing("psftp"))("psftp", async () => {
    await makeManyFiles(remote("many"), TEN_THOUSAND);
    await writeFile(local("batch"), "ls many\n");
    const output = await fixture.runOk("psftp", ["-b", local("batch"), "127.0.0.1"]);
    expect(output.match(/^-rw.*file \d{5}$/gm)).toHaveLength(TEN_THOUSAND);
  });

  it.skipIf(isMissing("lftp"))("lftp", async () => {
    await makeManyFiles(remote("many"), TEN_THOUSAND);
    expect(lines(await fixture.runOk("lftp", ["cd many", "cls -1"]))).toEqual(manyNames(TEN_THOUSAND));
  });

  it.skipIf(isMissing("rclone"))("rclone", async () => {
    await makeManyFiles(remote("many"), TEN_THOUSAND);
    expect(lines(await fixture.runOk("rclone", ["lsf", `${HOST}:many`]))).toEqual(manyNames(TEN_THOUSAND));
  });

  it.skipIf(isMissing("curl"))("curl", async () => {
    await makeManyFiles(remote("many"), TEN_THOUSAND);
    const url = `sftp://127.0.0.1:${fixture.server.port}/~/many/`;
    const listed = lines(await fixture.runOk("curl", ["--list-only", url])).filter((name) => !name.startsWith("."));
    expect(listed.sort()).toEqual(manyNames(TEN_THOUSAND));
  });
});
