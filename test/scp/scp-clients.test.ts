import { chmod, lstat, mkdir, readdir, readFile, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";
import { SCPServer } from "../../src/scp/scp-server.js";
import { isMissing } from "../support/clients.js";
import { testBytes } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { type ProcessResult, run, temporaryFolder } from "../support/tools.js";

const fixture = serverFixture();
const folder = temporaryFolder();
const root = join(folder, "root");
const local = join(folder, "local");

beforeAll(async () => {
  await mkdir(root);
  await mkdir(local);
  fixture.server.server.checkChannelExecRequest = (channel: Channel, line: Buffer) => {
    const command = parseSCPCommand(line);
    if (command === undefined) return false;
    new SCPServer(channel, command, { rootPath: root });
    return true;
  };
});

type Copy = (options: readonly string[], from: readonly string[], to: string) => Promise<ProcessResult>;

/** `:` at the start of a path stands for the server. */
const CLIENTS: Readonly<Record<string, Copy>> = {
  "scp -O": async (options, from, to) => {
    const { clients, server } = fixture;
    const login = { user: "admin", keyType: "ed25519" } as const;
    const { parameters, environment } = await clients.openssh("ssh", server, login);
    // The same options, but for the names of port and user.
    const [, port = "", , user, ...rest] = parameters;
    const remote = (path: string) => (path.startsWith(":") ? `${user}@127.0.0.1${path}` : path);
    return run("scp", ["-O", "-P", port, ...rest, ...options, ...from.map(remote), remote(to)], { environment });
  },
  "pscp -scp": async (options, from, to) => {
    const { clients, server } = fixture;
    const login = { user: "admin", keyType: "ed25519" } as const;
    const { parameters, environment } = await clients.commandLine("plink", server, { login, command: "" });
    const kept = parameters.slice(0, -2).filter((parameter) => parameter !== "-ssh" && parameter !== "-no-antispoof");
    const remote = (path: string) => (path.startsWith(":") ? `127.0.0.1${path}` : path);
    return run("pscp", ["-scp", ...kept, ...options, ...from.map(remote), remote(to)], { environment });
  },
};

async function makeTree(path: string): Promise<void> {
  await mkdir(join(path, "a directory/deep/er"), { recursive: true });
  await mkdir(join(path, "empty directory"));
  await writeFile(join(path, "empty"), "");
  await writeFile(join(path, "ünïcödé ☃ 'quoted' \"name\" $x"), "names");
  await writeFile(join(path, "a directory/deep/er/file"), testBytes(1000));
  await writeFile(join(path, "large"), testBytes(20_000_000));
  await writeFile(join(path, "block"), testBytes(256 * 1024));
  for (let number = 0; number < 50; number++) await writeFile(join(path, "a directory", `${number}`), `${number}`);
  await chmod(join(path, "empty"), 0o600);
  await chmod(join(path, "large"), 0o444);
  await chmod(join(path, "block"), 0o750);
  await utimes(join(path, "block"), 1_000_000_000, 1_100_000_000);
  await utimes(join(path, "a directory/deep"), 1_200_000_000, 1_300_000_000);
  await chmod(join(path, "a directory/deep/er"), 0o500);
}

/** What is in a folder: contents by path, and with `attributes` permissions and times. */
async function describeTree(path: string, attributes: "attributes" | "contents", prefix = ""): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    const child = join(path, name);
    const stats = await lstat(child);
    const about =
      attributes === "attributes" ? ` ${(stats.mode & 0o7777).toString(8)} ${Math.floor(stats.mtimeMs / 1000)}` : "";
    if (stats.isDirectory()) {
      lines.push(`${prefix}${name}/${about}`, ...(await describeTree(child, attributes, `${prefix}${name}/`)));
    } else {
      lines.push(`${prefix}${name}${about} ${(await readFile(child)).toString("base64")}`);
    }
  }
  return lines;
}

for (const [client, copy] of Object.entries(CLIENTS)) {
  describe.skipIf(client.startsWith("pscp") && isMissing("plink"))(client, () => {
    const here = join(local, client);
    const there = client.replace(" ", "");
    const ok = { code: 0 };

    beforeAll(async () => {
      await mkdir(join(here, "back"), { recursive: true });
      await mkdir(join(root, there));
      await makeTree(join(here, "tree"));
    });

    it("puts a tree and gets it back, with times and permissions", async () => {
      const put = await copy(["-r", "-p"], [join(here, "tree")], `:${there}`);
      expect(put, put.stderr).toMatchObject(ok);
      // PuTTY's client has no permissions to send.
      const attributes = client === "scp -O" ? "attributes" : "contents";
      const original = await describeTree(join(here, "tree"), attributes);
      expect(await describeTree(join(root, there, "tree"), attributes)).toEqual(original);
      const get = await copy(["-r", "-p"], [`:${there}/tree`], join(here, "back"));
      expect(get, get.stderr).toMatchObject(ok);
      expect(await describeTree(join(here, "back/tree"), attributes)).toEqual(original);
    });

    it("puts a file under another name, over one that is there", async () => {
      await writeFile(join(root, there, "target"), testBytes(100_000));
      const put = await copy([], [join(here, "tree/block")], `:/${there}/target`);
      expect(put, put.stderr).toMatchObject(ok);
      expect(await readFile(join(root, there, "target"))).toEqual(testBytes(256 * 1024));
    });

    it("gets what a pattern stands for", async () => {
      await mkdir(join(here, "matches"));
      for (const name of ["1.txt", "2.txt", "3.bin"]) await writeFile(join(root, there, name), name);
      const unsafe = client === "pscp -scp" ? ["-unsafe"] : [];
      const get = await copy(unsafe, [`:${there}/*.txt`], join(here, "matches"));
      expect(get, get.stderr).toMatchObject(ok);
      expect(await describeTree(join(here, "matches"), "contents")).toHaveLength(2);
    });

    it("is told what fails, and gets the rest", async () => {
      await mkdir(join(here, "rest"));
      await writeFile(join(root, there, "good"), "good");
      await symlink("/etc/passwd", join(root, there, "outside"));
      const from = [`:${there}/missing`, `:${there}/outside`, `:${there}/good`];
      const results = client === "scp -O" ? [await copy([], from, join(here, "rest"))] : [];
      // PuTTY's client takes one source.
      if (results.length === 0) for (const path of from) results.push(await copy([], [path], join(here, "rest")));
      expect(results[0]?.code).toBe(1);
      expect(results.map(({ stderr, stdout }) => stderr + stdout).join("")).toContain("No such file or directory");
      expect(await readdir(join(here, "rest"))).toEqual(["good"]);
    });

    it("does not get out of the root", async () => {
      await writeFile(join(folder, "secret"), "secret");
      const get = await copy([], [`:../../../..${folder}/secret`], join(here, "stolen"));
      expect(get.code).not.toBe(0);
      const put = await copy([], [join(here, "tree/empty")], `:../../../../${there}/put`);
      expect(put, put.stderr).toMatchObject(ok);
      expect(await readdir(join(root, there))).toContain("put");
    });
  });
}

it("puts and gets a sparse file of 300 MiB", { timeout: 60_000 }, async () => {
  const copy = CLIENTS["scp -O"];
  if (copy === undefined) throw new Error("no client");
  await writeFile(join(local, "sparse"), "start");
  await truncate(join(local, "sparse"), 300 * 1024 * 1024);
  expect(await copy([], [join(local, "sparse")], ":sparse")).toMatchObject({ code: 0 });
  expect(await copy([], [":sparse"], join(local, "sparse-back"))).toMatchObject({ code: 0 });
  expect((await run("cmp", [join(local, "sparse"), join(local, "sparse-back")])).code).toBe(0);
});
