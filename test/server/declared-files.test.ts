import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SFTPWrapper } from "ssh2";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import {
  AUTH_SUCCESSFUL,
  createServer,
  type FilesOption,
  Grant,
  homes,
  type Server,
  type Session,
} from "../../src/index.js";
import { LocalFileSystem, MemoryFileSystem, mount, quota, readOnly } from "../../src/sftp/index.js";
import { commandEnd, connectTo, openCommand, sessionFixture } from "../session/session-fixture.js";
import { run, temporaryFolder } from "../support/tools.js";

const SCP_PROTOCOLS = [
  ["SFTP", "-s"],
  ["scp -O", "-O"],
] as const;

describe("declared files", () => {
  const folder = temporaryFolder();
  let files: (client: Parameters<Extract<FilesOption, (client: never) => unknown>>[0]) => unknown = () => undefined;
  const seen: { kind: string; outcome: unknown; bytes: number }[] = [];
  const fixture = sessionFixture({
    authentication: { none: (username) => (username === "ann" ? new Grant({ data: "ann's" }) : AUTH_SUCCESSFUL) },
    sftp: (client) => files(client) as never,
    middleware: [
      async (session: Session, next) => {
        await next();
        seen.push({ kind: session.kind, outcome: session.outcome, bytes: session.channel.bytesReceived });
      },
    ],
  });
  const { server, log, handle } = fixture;

  beforeEach(async () => {
    seen.length = 0;
    await mkdir(join(folder, "served"), { recursive: true });
    await writeFile(join(folder, "served", "file"), "contents");
    handle(({ command, stdout }) => {
      stdout.write(`session ${command}`);
    });
  });

  function scp(flag: string, from: string, to: string, user = "ann") {
    const remote = (path: string) => path.replace(/^:/, `${user}@127.0.0.1:`);
    const options = ["-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no"];
    const all = [flag, "-P", `${server.port}`, ...options, "-o", `UserKnownHostsFile=${join(folder, "hosts")}`];
    return run("scp", [...all, remote(from), remote(to)]);
  }

  it.each(SCP_PROTOCOLS)("are served by %s, before the session, inside the middleware", async (_, flag) => {
    files = ({ data }) => (data === "ann's" ? join(folder, "served") : undefined);
    const copy = join(folder, "copy");
    expect(await scp(flag, ":/file", copy)).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(copy, "utf8")).toBe("contents");
    const big = join(folder, "big");
    await writeFile(big, Buffer.alloc(100_000));
    expect(await scp(flag, big, ":/uploaded")).toMatchObject({ code: 0, stderr: "" });
    expect((await readFile(join(folder, "served", "uploaded"))).length).toBe(100_000);
    const kind = flag === "-O" ? "scp" : "sftp";
    expect(seen).toMatchObject([
      { kind, outcome: { status: 0 } },
      { kind, outcome: { status: 0 } },
    ]);
    expect(seen[1]?.bytes).toBeGreaterThan(100_000);
    expect(log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });

  it("have the status of a transfer that fails", async () => {
    files = () => join(folder, "served");
    expect((await scp("-O", ":/missing", join(folder, "copy"))).code).not.toBe(0);
    expect(seen).toMatchObject([{ kind: "scp", outcome: { status: 1 } }]);
  });

  it("may be a file system, and come later", async () => {
    const memory = new MemoryFileSystem();
    files = () => Promise.resolve(memory);
    expect(await scp("-s", join(folder, "served", "file"), ":/from-ann")).toMatchObject({ code: 0 });
    expect(memory.lstat("/from-ann").size).toBe(8);
  });

  it.each(SCP_PROTOCOLS)("are refused by undefined, with a line in the log: %s", async (_, flag) => {
    files = () => undefined;
    expect((await scp(flag, ":/file", join(folder, "copy"))).code).not.toBe(0);
    const { fields } = await fixture.logged("info", "a request was refused");
    expect(fields.reason).toMatch(/sftp has no files for this user/);
    expect(seen).toEqual([]);
  });

  it.each<[what: string, give: () => unknown]>([
    ["throws", () => Promise.reject(new Error("no database"))],
    ["gives null", () => null],
    ["gives an empty path", () => ""],
    ["gives an object that is not a file system", () => ({})],
    ["gives true", () => true],
  ])("are refused with an error in the log where the function %s", async (_, give) => {
    files = give;
    expect((await scp("-s", ":/file", join(folder, "copy"))).code).not.toBe(0);
    expect(await fixture.logged("error", "a hook has failed")).toMatchObject({
      fields: { hook: "sftp", err: expect.any(Error) },
    });
  });

  it.each(SCP_PROTOCOLS)(
    "are refused where the folder cannot be made, with one line that names it: %s",
    async (_, flag) => {
      files = () => join(folder, "no-homes", "deeper", "ann");
      expect((await scp(flag, ":/file", join(folder, "copy"))).code).not.toBe(0);
      const { fields } = await fixture.logged("warn", "a request was refused");
      expect(fields).toMatchObject({ cause: `the folder ${join(folder, "no-homes")} is not there: make it` });
      expect(log.filter(({ level }) => level === "error")).toEqual([]);
      expect(seen).toEqual([]);
    },
  );

  it("leave other commands to the session", async () => {
    files = () => join(folder, "served");
    expect(await fixture.exec("md5sum file")).toMatchObject({ stdout: "session md5sum file" });
    expect(await fixture.exec("scp")).toMatchObject({ stdout: "session scp" });
    expect(await fixture.exec("scp -f a | wc")).toMatchObject({ stdout: "session scp -f a | wc" });
  });
});

describe("files without a session", () => {
  const fileSystem = MemoryFileSystem.from({ "/file": "content", "/hidden": "hidden" });
  const access = {
    checkFileAccess: (path: string) => path !== "/hidden",
    checkDirectoryAccess: () => true,
    getFilePermissions: () => undefined,
    getDirectoryPermissions: () => undefined,
  };
  const seen: unknown[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer({
      hostKey: PKey.generate({ keyType: "ed25519" }),
      authentication: { none: () => AUTH_SUCCESSFUL },
      sftp: ({ user }) => (user === "ann" ? { fileSystem, access } : undefined),
      middleware: [
        async ({ kind, command }, next) => {
          await next();
          seen.push([kind, command]);
        },
      ],
      logger: false,
    });
    await server.listen(0);
  });
  afterAll(() => server.close());

  async function exec(command: string, username = "ann") {
    using client = await connectTo(server.port, { username });
    return await commandEnd(await openCommand(client, command));
  }

  it("answer commands that ask about them, under their rules, inside the middleware", async () => {
    const md5 = createHash("md5").update("content").digest("hex");
    expect(await exec("md5sum file")).toMatchObject({ status: 0, stdout: `${md5}  file\n`, stderr: "" });
    expect(await exec("md5sum hidden")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "md5sum: hidden: Permission denied\n",
    });
    expect(seen).toEqual([
      ["exec", "md5sum file"],
      ["exec", "md5sum hidden"],
    ]);
  });

  it("refuse all others, and users without files", async () => {
    await expect(exec("id")).rejects.toThrow();
    await expect(exec("md5sum file; id")).rejects.toThrow();
    await expect(exec("md5sum file", "ben")).rejects.toThrow();
  });
});

describe("a folder for all users", () => {
  const folder = temporaryFolder();
  const start = async (sftp: FilesOption) => {
    const authentication = { none: () => AUTH_SUCCESSFUL } as const;
    await using server = createServer({
      hostKey: PKey.generate({ keyType: "ed25519" }),
      authentication,
      sftp,
      logger: false,
    });
    await server.listen(0);
  };

  it("is looked at when the server starts", async () => {
    await writeFile(join(folder, "file"), "");
    await start(join(folder, "made-later"));
    await expect(start(join(folder, "none", "x"))).rejects.toEqual(
      expect.objectContaining({
        option: "sftp",
        message: `sftp: the folder ${join(folder, "none")} is not there: make it`,
      }),
    );
    await expect(start(join(folder, "file"))).rejects.toThrow("file is not a folder");
    await expect(start(join(folder, "file", "x"))).rejects.toThrow("cannot be used: ENOTDIR");
  });

  it("is looked at behind its wrappers, too", async () => {
    const missing = `sftp: the folder ${join(folder, "none")} is not there: make it`;
    const files = new LocalFileSystem(join(folder, "none", "x"));
    await expect(start(files)).rejects.toThrow(missing);
    await expect(start({ fileSystem: readOnly(quota(files, { bytes: 1 })) })).rejects.toThrow(missing);
    await expect(start(mount({ "/": files, "/docs": new MemoryFileSystem() }))).rejects.toThrow(missing);
    await start(mount({ "/docs": new LocalFileSystem(folder), "/more": new MemoryFileSystem() }));
  });

  it("is looked at where homes are in it, and where it is shared", async () => {
    const [root, docs] = [join(folder, "homes"), join(folder, "docs")];
    await expect(start(homes({ root }))).rejects.toThrow(`sftp: the folder ${root} is not there: make it`);
    await mkdir(root);
    const shared = { "/docs": docs };
    const missing = `sftp: shared /docs: the folder ${docs} is not there: make it`;
    await expect(start(homes({ root, shared }))).rejects.toThrow(missing);
    await mkdir(docs);
    await start(homes({ root, shared }));
    await start(homes({ root, shared: () => ({ "/docs": join(folder, "none") }) }));
  });
});

describe("files of a server that is closed", () => {
  const folder = temporaryFolder();
  const fixture = sessionFixture({ sftp: folder });

  it("are let go at once, however long the grace", async () => {
    using client = await fixture.connect();
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      client.sftp((error, opened) => (error ? reject(error) : resolve(opened)));
    });
    const closed = once(sftp, "close");
    const begun = performance.now();
    await fixture.server.close({ grace: 60 });
    await closed;
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
