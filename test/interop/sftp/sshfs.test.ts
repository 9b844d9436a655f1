import { mkdir, readdir, readFile, readlink, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST } from "../../support/clients-sftp.js";
import { extent } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { ExternalProcess, runOk } from "../../support/tools.js";
import { makeManyFiles, makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const MANY = extent(500, 2000);

// Only other programs touch what is mounted: this process serves it, and would wait for itself.
describe("sshfs", needs("sshfs", "FUSE"), () => {
  const fixture = sftpFixture();
  const remote = (name: string) => join(fixture.root, name);
  const local = (name: string) => join(fixture.local, name);
  let sshfs: ExternalProcess | undefined;

  /** Runs shell commands where the server's root is mounted; `$local` is the client's folder. */
  const inMount = (...commands: string[]) =>
    runOk("/bin/sh", ["-euc", `cd "$mount"; ${commands.join("; ")}`], {
      environment: { mount: local("mount"), local: fixture.local },
    });

  beforeEach(async () => {
    await mkdir(local("mount"));
    const { program, parameters, environment } = await fixture.clients.commandLine("sshfs", fixture.server, [
      ...["-f", `${HOST}:`, local("mount")],
    ]);
    sshfs = new ExternalProcess(program, parameters, { environment, timeout: 60_000 });
    await vi.waitFor(async () => expect(await readFile("/proc/mounts", "utf8")).toContain(local("mount")), 10_000);
  });
  afterEach(async () => {
    await runOk("fusermount3", ["-u", "-z", local("mount")]);
    await sshfs?.finished;
  });

  it("copies a tree with its modes and times, both ways", async () => {
    // Debian's sshfs reads no links that lead upwards, and no sshfs keeps the times of those it makes.
    await makeTree(remote("tree"), { without: ["outward links"] });
    await makeTree(local("tree"), { without: ["links"] });
    await inMount('cp -a tree "$local/got"', 'cp -a "$local/tree" put');
    const all = ["modes", "times", "directory modes", "directory times"] as const;
    expect(await treeDifferences(remote("tree"), local("got"), all)).toEqual([]);
    expect(await treeDifferences(local("tree"), remote("put"), all)).toEqual([]);
  });

  it("writes within, appends to, cuts and lengthens files", async () => {
    await writeFile(remote("file"), "0123456789");
    await inMount(
      "printf AB | dd of=file bs=1 seek=3 conv=notrunc status=none",
      "printf end >>file",
      "cp file cut",
      "truncate -s 4 cut",
      "cp file long",
      "truncate -s 20 long",
    );
    expect(await readFile(remote("file"), "utf8")).toBe("012AB56789end");
    expect(await readFile(remote("cut"), "utf8")).toBe("012A");
    expect(await readFile(remote("long"), "utf8")).toBe(`012AB56789end${"\0".repeat(7)}`);
  });

  it("makes links, replaces by renaming, removes, and changes modes and times", async () => {
    for (const name of ["one", "two"]) await writeFile(remote(name), name);
    await inMount(
      "ln one hard",
      "ln -s one soft",
      "mkdir -p a/b/c",
      "touch a/b/c/file",
      "rm -r a",
      "mv two one",
      "chmod 640 one",
      "touch -d @1000000000 one",
      "test ! -e two",
    );
    expect(await readdir(fixture.root)).toEqual(["hard", "one", "soft"]);
    expect(await readFile(remote("hard"), "utf8")).toBe("one");
    expect(await readFile(remote("one"), "utf8")).toBe("two");
    expect(await readlink(remote("soft"))).toBe("one");
    const { mode, mtimeMs } = await stat(remote("one"));
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1_000_000_000_000]);
  });

  it("reads and writes a large file as it stands", async () => {
    const content = testBytes(extent(5_000_000, 20_000_000));
    await writeFile(remote("file"), content);
    await inMount('cmp file "$local/../root/file"', "dd if=file of=copy bs=100k status=none", "sync copy");
    expect(content.equals(await readFile(remote("copy")))).toBe(true);
  });

  it("sees how much room there is, and a directory of many entries", async () => {
    await makeManyFiles(remote("many"), MANY);
    const [size = "", count] = (await inMount("df --output=size -B1 . | tail -1", "ls -l many | wc -l")).split("\n");
    const { blocks, bsize } = await statfs(fixture.root);
    expect(Number(size)).toBe(blocks * bsize);
    expect(count).toBe(`${MANY + 1}`);
  });
});
