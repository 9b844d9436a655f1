import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AccessPolicy } from "../../src/files/access-policy.js";
import { allowAll } from "../../src/files/access-policy.js";
import { FileError } from "../../src/files/errors.js";
import type { FileServerOptions } from "../../src/files/file-server-options.js";
import type { FileSystem } from "../../src/files/file-system.js";
import { LocalFileSystem } from "../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { quota } from "../../src/files/wrappers/quota.js";
import { parseProbeCommand } from "../../src/probes/probe-command.js";
import { ProbeServer } from "../../src/probes/probe-server.js";
import { duplexPair } from "../server/duplex-pair.js";
import { run, temporaryFolder } from "../support/tools.js";

const hash = (algorithm: string, text: string | Uint8Array) => createHash(algorithm).update(text).digest("hex");

function start(line: string, options: FileServerOptions) {
  const command = parseProbeCommand(Buffer.from(line));
  if (command === undefined) throw new Error(`not a probe: ${line}`);
  const [client, stream] = duplexPair();
  let [stderr, status] = ["", -1];
  const served = Object.assign(stream, {
    sendStderr: (text: Uint8Array) => {
      stderr += Buffer.from(text).toString("latin1");
    },
    sendExitStatus: (code: number) => {
      status = code;
    },
  });
  const server = new ProbeServer(served, command, { logger: false, ...options });
  return { client, server, result: () => ({ stderr, status }) };
}

async function probe(line: string, options: FileServerOptions, input = "") {
  const { client, server, result } = start(line, options);
  let stdout = "";
  client.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("latin1");
  });
  client.end(input);
  await Promise.all([server.closed, once(client, "close")]);
  return { stdout, ...result() };
}

describe("ProbeServer", () => {
  const folder = temporaryFolder();

  it("says what the programs of this machine say", async () => {
    const root = join(folder, "same");
    await mkdir(join(root, "dir"), { recursive: true });
    for (const name of ["a", "b c", "d'e", "x\\y", "new\nline", "*", "-dash", "ünï"]) {
      await writeFile(join(root, name), `contents of ${name}`);
    }
    await writeFile(join(root, "dir/large"), Buffer.alloc(300_000, "large"));
    await symlink("dir/large", join(root, "link"));
    const options = { fileSystem: new LocalFileSystem(root) };
    for (const line of [
      "md5sum",
      "md5sum -",
      "sha256sum",
      "echo 'abc' | md5sum",
      "echo abc | sha1sum -",
      "md5sum a 'b c' d\\'e",
      "sha1sum dir/large link ./dir/../a",
      "sha256sum 'x\\y' 'new\nline' '*' -- ünï".replace("-- ", ""),
      "md5sum -- -dash",
      "echo one  two 'three  four'",
      "md5sum missing a",
    ]) {
      const { stdout, code } = await run("sh", ["-c", 'cd "$0" && eval "$1"', root, line], {
        input: Buffer.from("input"),
      });
      expect(await probe(line, options, "input"), line).toMatchObject({
        stdout: stdout.toString("latin1"),
        status: code,
      });
    }
  });

  it("stays in the tree that is served, and says why a file has no hash", async () => {
    const root = join(folder, "root");
    await mkdir(join(root, "dir"), { recursive: true });
    await writeFile(join(folder, "secret"), "secret");
    await symlink("../secret", join(root, "out"));
    const options = { fileSystem: new LocalFileSystem(root) };
    for (const path of ["../secret", "/../secret", join(folder, "secret"), "out"]) {
      expect(await probe(`md5sum ${path}`, options)).toEqual({
        stdout: "",
        stderr: `md5sum: ${path}: No such file or directory\n`,
        status: 1,
      });
    }
    expect(await probe("md5sum dir", options)).toEqual({
      stdout: "",
      stderr: "md5sum: dir: Is a directory\n",
      status: 1,
    });
  });

  it("asks the rules, on the path behind links", async () => {
    const fileSystem = MemoryFileSystem.from({ "/open": "1", "/hidden/file": "2" });
    fileSystem.symlink("hidden/file", "/link");
    const access: AccessPolicy = { ...allowAll, checkFileAccess: (path) => path === "/open" };
    const refused = (path: string) => `md5sum: ${path}: Permission denied\n`;
    expect(await probe("md5sum /open /hidden/file link /none", { fileSystem, access })).toEqual({
      stdout: `${hash("md5", "1")}  /open\n`,
      stderr: ["/hidden/file", "link", "/none"].map(refused).join(""),
      status: 1,
    });
    const nowhere = { ...access, checkDirectoryAccess: () => false };
    expect(await probe("df /", { fileSystem, access: nowhere })).toMatchObject({ stdout: "", status: 1 });
  });

  it("asks a function by operation: to hash is to read, and to tell the room is to look", async () => {
    const asked: string[] = [];
    const access = (operation: string, path: string) => {
      asked.push(`${operation} ${path}`);
      return operation === "read";
    };
    const options = { fileSystem: MemoryFileSystem.from({ "/file": "1" }), access };
    expect(await probe("sha1sum file", options)).toMatchObject({ stdout: `${hash("sha1", "1")}  file\n`, status: 0 });
    expect(await probe("df /file", options)).toMatchObject({ stderr: "df: /file: Permission denied\n", status: 1 });
    expect(asked).toEqual(["read /file", "stat /file"]);
  });

  it("starts where relative paths start", async () => {
    const fileSystem = MemoryFileSystem.from({ "/home/file": "1" });
    const options = { fileSystem, startDirectory: "/home" };
    expect(await probe("pwd", options)).toEqual({ stdout: "/home\n", stderr: "", status: 0 });
    expect((await probe("md5sum file ~/file", options)).stdout).toBe(
      `${hash("md5", "1")}  file\n${hash("md5", "1")}  ./file\n`,
    );
  });

  it("tells the room there is, with the quota", async () => {
    const fileSystem = quota(MemoryFileSystem.from({ "/file": "x".repeat(4096) }), { bytes: 4096 * 10 });
    const head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
    for (const line of ["df", "df -k /", "df -Pk /file"]) {
      expect(await probe(line, { fileSystem })).toEqual({
        stdout: `${head}spindlex 40 4 36 10% /\n`,
        stderr: "",
        status: 0,
      });
    }
    const people = "Filesystem Size Used Avail Use% Mounted on\nspindlex 40K 4.0K 36K 10% /\n";
    expect((await probe("df -h", { fileSystem })).stdout).toBe(people);
    const disk = { blockSize: 1024 ** 2, blocks: 10_230, freeBlocks: 10_230, availableBlocks: 1_500_000 };
    const huge = { ...fileSystem, statvfs: () => ({ ...fileSystem.statvfs?.("/"), ...disk }) as never };
    expect((await probe("df -h", { fileSystem: huge })).stdout).toContain("spindlex 10G 0 1.5T 0% /\n");
    const awk = "df -Pk / | awk '{print $3, $4}'";
    expect((await probe(awk, { fileSystem })).stdout).toBe("Used Available\n4 36\n");
    expect(await probe("df /none", { fileSystem })).toEqual({
      stdout: "",
      stderr: "df: /none: No such file or directory\n",
      status: 1,
    });
    const unknown: FileSystem = { lstat: (path) => fileSystem.lstat?.(path) as never };
    expect(await probe("df", { fileSystem: unknown })).toMatchObject({ stdout: "", status: 1 });
  });

  it("tells nothing of a defect but that there is one", async () => {
    const lines: string[] = [];
    const logger = { debug: () => {}, warn: (_fields: object, line: string) => void lines.push(line) };
    const fileSystem: FileSystem = {
      open: () => {
        throw new Error("/srv/secret is broken");
      },
    };
    expect(await probe("md5sum file", { fileSystem, logger })).toEqual({
      stdout: "",
      stderr: "md5sum: file: Failure\n",
      status: 1,
    });
    expect(lines).toEqual(["a command about files has failed"]);
  });

  it("hashes what is sent, however much, in little memory", async () => {
    const { client, server, result } = start("sha256sum", { fileSystem: new MemoryFileSystem() });
    const block = Buffer.alloc(1024 * 1024, "x");
    const expected = createHash("sha256");
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 64; sent++) {
      expected.update(block);
      if (!client.write(block)) await once(client, "drain");
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    client.end();
    const [output] = await once(client, "data");
    expect(String(output)).toBe(`${expected.digest("hex")}  -\n`);
    await server.closed;
    expect(result().status).toBe(0);
  });

  it("ends when the client goes, and lets go of the file", async () => {
    let [reads, outcome]: [number, unknown] = [0, undefined];
    let begun = () => {};
    const opened = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const fileSystem: FileSystem = {
      open: () => ({
        read: (buffer) => {
          if (++reads === 3) begun();
          return buffer.length;
        },
        close: (ended) => {
          outcome = ended;
        },
      }),
    };
    const endless = start("md5sum endless", { fileSystem });
    await opened;
    endless.client.destroy();
    await endless.server.closed;
    expect(outcome).toMatchObject({ result: "aborted" });
    const waiting = start("md5sum", { fileSystem });
    waiting.client.destroy();
    await waiting.server.closed;
    expect(reads).toBeLessThan(1000);
  });

  it("does not wait for ever, neither for a client nor for the end of a file", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const waiting = start("md5sum", { fileSystem: new MemoryFileSystem() });
    waiting.client.write("some");
    await nextTurn();
    await vi.advanceTimersByTimeAsync(59_000);
    waiting.client.write("more");
    await nextTurn();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(waiting.result().status).toBe(-1);
    await vi.advanceTimersByTimeAsync(2_000);
    await waiting.server.closed;
    expect(waiting.result()).toEqual({ stderr: "md5sum: -: Connection timed out\n", status: 1 });

    const endless = start("md5sum endless", { fileSystem: { open: () => ({ read: (buffer) => buffer.length }) } });
    await vi.advanceTimersByTimeAsync(59 * 60_000);
    expect(endless.result().status).toBe(-1);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    await endless.server.closed;
    expect(endless.result()).toEqual({ stderr: "md5sum: endless: Connection timed out\n", status: 1 });
  });

  it("goes on with the next file where one fails", async () => {
    const memory = MemoryFileSystem.from({ "/good": "1", "/bad": "2" });
    const fileSystem: FileSystem = {
      lstat: (path) => memory.lstat(path),
      open: (path, options) => {
        if (path === "/bad") return { read: () => Promise.reject(new FileError("EIO")) };
        return memory.open(path, options);
      },
    };
    expect(await probe("md5sum bad good", { fileSystem })).toEqual({
      stdout: `${hash("md5", "1")}  good\n`,
      stderr: "md5sum: bad: Input/output error\n",
      status: 1,
    });
  });
});
