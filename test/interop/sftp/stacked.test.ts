import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { needs } from "../../support/clients.js";
import { HOST, type LibraryName, type Operation, type ProgramName } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { LAYERS, type Layer, StackedSFTPServer } from "../../support/sftp-server.js";
import { ExternalProcess, runOk } from "../../support/tools.js";
import { treeDifferences } from "../../support/tree-compare.js";

const server = new StackedSFTPServer();
const fixture = sftpFixture(server);
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);

const GUIDE = "what all may read\n";
const WHOLE = testBytes(400_000);
/** Of `WHOLE`, what is there when a client goes on. */
const BEGUN = WHOLE.subarray(0, 150_001);
const SIZES = [0, 1, 32_769, 300_000];

interface Client {
  readonly name: string;
  readonly program: ProgramName | LibraryName;
  /** Carries `tree` to `put` and back to `got`, and reads `/shared/guide` to `guide`. */
  readonly run: () => Promise<unknown>;
  /** Goes on with the upload of `up` and the download of `down` as well. */
  readonly resumes?: boolean;
  /** Carries no directories. */
  readonly flat?: boolean;
  /** Tries to put `tree/1` into the shared folder. */
  readonly trespass: () => Promise<unknown>;
}

const lines = (...text: string[]) => ({ input: Buffer.from(`${text.join("\n")}\n`) });
const sftp = (...commands: string[]) => fixture.runOk("sftp", ["-q", "-b", "-", HOST], lines(...commands));

const scp = (name: string, ...protocol: string[]): Client => ({
  name,
  program: "scp",
  async run() {
    const copy = (...parameters: string[]) => fixture.runOk("scp", [...protocol, "-rp", ...parameters]);
    await copy(local("tree"), `${HOST}:put`);
    await copy(`${HOST}:put`, `${HOST}:/shared/guide`, fixture.local);
    await runOk("mv", [local("put"), local("got")]);
  },
  trespass: () => fixture.runOk("scp", [...protocol, local("tree/1"), `${HOST}:/shared/no`]),
});

const library = (name: LibraryName): Client => ({
  name,
  program: name,
  flat: true,
  async run() {
    await mkdir(local("got"));
    const files = SIZES.flatMap((size): Operation[] => [
      ["put", local(`tree/${size}`), `put/${size}`],
      ["posix_rename", `put/${size}`, `put/moved`],
      ["rename", "put/moved", `put/${size}`],
      ["get", `put/${size}`, local(`got/${size}`)],
    ]);
    const changes: readonly Operation[] = [
      ["append", "put/1", "end"],
      ["write", "put/1", 1, "AB"],
      ["read", "put/1", 0, 9],
      ["truncate", "put/1", 1],
      ["create_exclusively", "new"],
      ["remove", "new"],
      ["get", "/shared/guide", local("guide")],
      ["list", "/"],
    ];
    const values = await fixture.operateOk(name, [["mkdir", "put"], ...files, ...changes]);
    expect(values.at(-6)).toMatch(/^.ABd$/);
    expect(values.at(-1)).toEqual(expect.arrayContaining(["put"]));
  },
  trespass: () => fixture.operateOk(name, [["put", local("tree/1"), "/shared/no"]]),
});

const CLIENTS: readonly Client[] = [
  {
    name: "sftp",
    program: "sftp",
    resumes: true,
    run: () =>
      sftp(
        `put -rp ${local("tree")} put`,
        `get -rp put ${local("got")}`,
        `reput ${local("up")} up`,
        `reget down ${local("down")}`,
        `get /shared/guide ${local("guide")}`,
        "rename put/1 put/moved",
        "rename -l put/moved put/1",
        "ln put/1 put/link",
        "rm put/link",
      ),
    trespass: () => sftp(`put ${local("tree/1")} /shared/no`),
  },
  scp("scp over SFTP"),
  scp("scp with its old protocol", "-O"),
  {
    name: "rclone",
    program: "rclone",
    async run() {
      await fixture.runOk("rclone", ["copy", "--create-empty-src-dirs", local("tree"), `${HOST}:put`]);
      await fixture.runOk("rclone", ["copy", "--create-empty-src-dirs", `${HOST}:put`, local("got")]);
      // With hashes that the server gives.
      await fixture.runOk("rclone", ["check", local("tree"), `${HOST}:put`]);
      await writeFile(local("guide"), await fixture.runOk("rclone", ["cat", `${HOST}:/shared/guide`]));
    },
    trespass: () => fixture.runOk("rclone", ["--retries", "1", "copyto", local("tree/1"), `${HOST}:/shared/no`]),
  },
  {
    name: "lftp",
    program: "lftp",
    resumes: true,
    run: () =>
      fixture.runOk("lftp", [
        `mirror -R ${local("tree")} put`,
        `mirror put ${local("got")}`,
        `put -c ${local("up")} -o up`,
        `get -c down -o ${local("down")}`,
        `get /shared/guide -o ${local("guide")}`,
        "mv put/1 put/moved",
        "mv put/moved put/1",
      ]),
    trespass: () => fixture.runOk("lftp", ["set net:max-retries 1", `put ${local("tree/1")} -o /shared/no`]),
  },
  {
    name: "sshfs",
    program: "sshfs",
    run: () =>
      inMount(
        'cp -r "$local/tree" put',
        'cp -r put "$local/got"',
        'cp shared/guide "$local/guide"',
        "printf end >>put/1",
        "printf AB | dd of=put/1 bs=1 seek=1 conv=notrunc status=none",
        "truncate -s 1 put/1",
        "mv put/1 put/moved",
        "mv put/moved put/1",
      ),
    trespass: () => inMount('cp "$local/tree/1" shared/no'),
  },
  library("paramiko"),
  library("asyncssh-2.20"),
];

/** Runs shell commands where the home is mounted; only other programs than this one touch what is. */
async function inMount(...commands: string[]): Promise<void> {
  await mkdir(local("mount"), { recursive: true });
  const { program, parameters, environment } = await fixture.clients.commandLine("sshfs", fixture.server, [
    ...["-f", `${HOST}:`, local("mount")],
  ]);
  const sshfs = new ExternalProcess(program, parameters, { environment, timeout: 60_000 });
  try {
    await vi.waitFor(async () => expect(await readFile("/proc/mounts", "utf8")).toContain(local("mount")), 10_000);
    await runOk("/bin/sh", ["-euc", `cd "$mount"; ${commands.join("; ")}`], {
      environment: { mount: local("mount"), local: fixture.local },
    });
  } finally {
    await runOk("fusermount3", ["-u", "-z", local("mount")]);
    await sshfs.finished;
  }
}

async function storedBytes(): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(fixture.root, { recursive: true })) {
    const stats = await lstat(remote(name));
    if (stats.isFile()) bytes += stats.size;
  }
  return bytes;
}

/** In the long run all that can stand there alone, or be missing. */
const STACKS: readonly (readonly Layer[])[] = isLong
  ? [LAYERS, ...LAYERS.map((layer) => [layer]), ...LAYERS.map((layer) => LAYERS.filter((other) => other !== layer)), []]
  : [LAYERS];

for (const layers of STACKS)
  describe(`under ${layers.join(", ") || "nothing"}`, () => {
    const has = (layer: Layer) => layers.includes(layer);

    beforeEach(async () => {
      server.layers = layers;
      server.events.length = 0;
      await mkdir(local("tree"));
      for (const size of SIZES) await writeFile(local(`tree/${size}`), testBytes(size));
      await mkdir(server.sharedPath);
      await writeFile(join(server.sharedPath, "guide"), GUIDE);
      if (!has("shared folders")) {
        await mkdir(remote("shared"));
        await writeFile(remote("shared/guide"), GUIDE);
      }
      await writeFile(remote("my.hidden"), "hidden");
    });

    for (const { name, program, resumes = false, flat = false, run, trespass } of CLIENTS)
      it(`${name} has the files as they are`, needs(program), async () => {
        if (!flat) await mkdir(local("tree/sub"));
        await writeFile(remote("down"), WHOLE);
        await writeFile(remote("up"), BEGUN);
        await writeFile(local("up"), WHOLE);
        await writeFile(local("down"), BEGUN);

        await run();
        expect(await treeDifferences(local("tree"), remote("put"))).toEqual([]);
        expect(await treeDifferences(local("tree"), local("got"))).toEqual([]);
        expect(await readFile(local("guide"), "utf8")).toBe(GUIDE);
        if (resumes) {
          expect(WHOLE.equals(await readFile(remote("up")))).toBe(true);
          expect(WHOLE.equals(await readFile(local("down")))).toBe(true);
        }
        expect((await readdir(fixture.root)).filter((at) => at.startsWith(".spindlex-"))).toEqual([]);
        if (has("quota")) expect(await server.used()).toBe(await storedBytes());

        const isRefused = has("rules") || has("shared folders");
        if (isRefused) await expect(trespass()).rejects.toThrow();
        else await trespass();
        if (!has("audit")) return;
        const closed = server.events.filter((event) => event.operation === "close");
        expect(closed.length).toBeGreaterThan(SIZES.length);
        const failed = closed.filter(({ path, outcome }) => outcome.result !== "completed" && path !== "/shared/no");
        expect(failed).toEqual([]);
        if (has("rules")) expect(JSON.stringify(server.events)).not.toContain("my.hidden");
      });
  });
