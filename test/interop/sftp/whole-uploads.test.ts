import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import type { AuditEvent } from "../../../src/sftp/index.js";
import { needs } from "../../support/clients.js";
import { HOST, type ProgramName } from "../../support/clients-sftp.js";
import { isLong, sample } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { StackedSFTPServer } from "../../support/sftp-server.js";
import { ExternalProcess } from "../../support/tools.js";
import { makeTree, type TreeFeature } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const server = new StackedSFTPServer();
const fixture = sftpFixture(server);
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);

type Closed = Extract<AuditEvent, { operation: "close" }>;

/** The files that clients have written, with the ends of their uploads. */
const uploads = () =>
  server.events.filter((event): event is Closed => event.operation === "close" && event.bytesWritten > 0);
const names = async () => readdir(fixture.root, { recursive: true });

beforeEach(async () => {
  server.events.length = 0;
  await mkdir(server.sharedPath);
});

interface Putting {
  readonly client: ProgramName;
  readonly without: readonly TreeFeature[];
  readonly parameters: (tree: string) => readonly string[];
  readonly input?: (tree: string) => string;
}

const PUTTING: readonly Putting[] = [
  {
    client: "sftp",
    without: ["links"],
    parameters: () => ["-q", "-b", "-", HOST],
    input: (tree) => `put -rp ${tree} put\n`,
  },
  { client: "scp", without: ["links", "newlines"], parameters: (tree) => ["-O", "-rp", tree, `${HOST}:put`] },
  { client: "lftp", without: ["links", "late times"], parameters: (tree) => [`mirror -R ${tree} put`] },
  {
    client: "rclone",
    without: ["links", "control characters", "invalid UTF-8", "both normal forms"],
    parameters: (tree) => ["copy", "--create-empty-src-dirs", tree, `${HOST}:put`],
  },
];

// With files that are easier to carry, stacked.test.ts does it each time.
for (const { client, without, parameters, input } of isLong ? PUTTING : []) {
  it(`${client} puts a tree that is whole under all wrappers`, needs(client), async () => {
    await makeTree(local("tree"), { without });
    const text = input?.(local("tree"));
    await fixture.runOk(client, parameters(local("tree")), text === undefined ? {} : { input: Buffer.from(text) });
    expect(await treeDifferences(local("tree"), remote("put"), ["times"])).toEqual([]);
    expect((await names()).filter((name) => name.includes(".spindlex-"))).toEqual([]);
    expect(uploads().length).toBeGreaterThan(5);
    expect(uploads().filter(({ outcome }) => outcome.result !== "completed")).toEqual([]);
  });
}

interface Resuming {
  readonly client: ProgramName;
  readonly parameters: (file: string) => readonly string[];
  readonly input?: (file: string) => string;
}

const RESUMING: readonly Resuming[] = [
  { client: "sftp", parameters: () => ["-q", "-b", "-", HOST], input: (file) => `reput ${file} file\n` },
  { client: "lftp", parameters: (file) => [`put -c ${file} -o file`] },
];

for (const { client, parameters, input } of sample(RESUMING, 2)) {
  it(`${client} goes on with an upload whose client was killed`, needs("sftp", client), async () => {
    const whole = testBytes(3_000_000);
    await writeFile(local("file"), whole);
    await writeFile(remote("file"), "old");
    const slow = ["-q", "-l", "8000", "-b", "-", HOST];
    const { program, parameters: words, environment } = await fixture.clients.commandLine("sftp", fixture.server, slow);
    const killed = new ExternalProcess(program, words, {
      environment,
      input: Buffer.from(`put ${local("file")} file\n`),
    });
    onTestFinished(() => killed.kill());
    await expect.poll(sizeOfStaged, { timeout: 10_000 }).toBeGreaterThan(100_000);
    killed.kill();
    await expect.poll(() => uploads().length, { timeout: 10_000 }).toBe(1);
    expect(uploads()).toMatchObject([{ path: "/file", result: "ABORTED", outcome: { reason: "client gone" } }]);
    expect(await readFile(remote("file"), "utf8")).toBe("old");

    const text = input?.(local("file"));
    await fixture.runOk(client, parameters(local("file")), text === undefined ? {} : { input: Buffer.from(text) });
    expect(whole.equals(await readFile(remote("file")))).toBe(true);
    expect(await names()).toEqual(["file"]);
    const [begun, ended] = uploads();
    expect(ended).toMatchObject({ kind: "upload", size: whole.length, outcome: { result: "completed" } });
    expect((begun?.bytesWritten ?? 0) + (ended?.bytesWritten ?? 0)).toBe(whole.length);
  });
}

it("scp that is killed over a file that is there leaves it as it was", needs("scp"), async () => {
  const whole = testBytes(3_000_000);
  await writeFile(local("file"), whole);
  await writeFile(remote("file"), "old");
  const slow = ["-s", "-q", "-l", "8000", local("file"), `${HOST}:file`];
  const { program, parameters, environment } = await fixture.clients.commandLine("scp", fixture.server, slow);
  const killed = new ExternalProcess(program, parameters, { environment });
  onTestFinished(() => killed.kill());
  await expect.poll(sizeOfStaged, { timeout: 10_000 }).toBeGreaterThan(100_000);
  killed.kill();
  await expect.poll(() => uploads().length, { timeout: 10_000 }).toBe(1);
  expect(uploads()).toMatchObject([{ path: "/file", result: "ABORTED", outcome: { reason: "client gone" } }]);
  expect(await readFile(remote("file"), "utf8")).toBe("old");
  expect(await names()).toEqual(["file"]);

  for (const content of [whole, Buffer.from("short")]) {
    await writeFile(local("file"), content);
    await fixture.runOk("scp", ["-s", "-q", "-p", local("file"), `${HOST}:file`]);
    expect(content.equals(await readFile(remote("file")))).toBe(true);
    expect((await stat(remote("file"))).mtimeMs).toBe(Math.floor((await stat(local("file"))).mtimeMs / 1000) * 1000);
    expect(await names()).toEqual(["file"]);
  }
});

if (isLong)
  it(
    "sftp closes a file when it is interrupted: only the bytes tell it from one that is whole",
    needs("sftp"),
    async () => {
      await writeFile(local("file"), testBytes(3_000_000));
      const slow = ["-q", "-l", "8000", "-b", "-", HOST];
      const { program, parameters, environment } = await fixture.clients.commandLine("sftp", fixture.server, slow);
      const interrupted = new ExternalProcess(program, parameters, {
        environment,
        input: Buffer.from(`put ${local("file")} file\n`),
      });
      onTestFinished(() => interrupted.kill());
      await expect.poll(sizeOfStaged, { timeout: 10_000 }).toBeGreaterThan(100_000);
      interrupted.kill("SIGINT");
      await expect.poll(() => uploads().length, { timeout: 10_000 }).toBe(1);
      expect(uploads()).toMatchObject([{ path: "/file", outcome: { result: "completed" } }]);
      expect(uploads()[0]?.bytesWritten).toBeLessThan(3_000_000);
    },
  );

async function sizeOfStaged(): Promise<number> {
  const staged = (await names()).find((name) => name.startsWith(".spindlex-"));
  if (staged === undefined || !existsSync(remote(staged))) return 0;
  return (await readFile(remote(staged))).length;
}
