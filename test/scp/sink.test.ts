import { finished } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AccessGuard } from "../../src/files/access-guard.js";
import { type AccessPolicy, allowAll } from "../../src/files/access-policy.js";
import { FileError } from "../../src/files/errors.js";
import type { FileHandle, FileSystem, OpenOptions } from "../../src/files/file-system.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { codePoint } from "../support/code-point.js";
import { extent } from "../support/extent.js";
import { testBytes } from "../support/server.js";
import { SCPTestPeer } from "./scp-peer.js";

/** A memory file system that counts its open handles. */
class CountingFileSystem extends MemoryFileSystem {
  opened = 0;
  closed = 0;

  override open(path: string, options: OpenOptions) {
    const handle = super.open(path, options);
    this.opened++;
    const close = handle.close.bind(handle);
    handle.close = () => {
      this.closed++;
      close();
    };
    return handle;
  }
}

function names(fileSystem: MemoryFileSystem, path = "/"): string[] {
  return [...fileSystem.readdir(path)].map(({ name }) => name).sort();
}

async function start(commandLine: string, fileSystem: FileSystem, access?: AccessPolicy) {
  const peer = new SCPTestPeer(commandLine, { fileSystem, ...(access && { access }) });
  expect(await peer.answer()).toBe("");
  return peer;
}

async function put(peer: SCPTestPeer, name: string, content: Buffer, mode = "0644"): Promise<string> {
  const accepted = await peer.ask(`C${mode} ${content.length} ${name}\n`);
  if (accepted !== "") return accepted;
  return peer.ask(Buffer.concat([content, Buffer.of(0)]));
}

describe("a sink", () => {
  it("takes a file into a directory", async () => {
    const fileSystem = new CountingFileSystem();
    const peer = await start("scp -t /", fileSystem);
    const content = testBytes(700_001);
    expect(await put(peer, "a b", content, "0640")).toBe("");
    expect(await put(peer, "empty", Buffer.alloc(0))).toBe("");
    expect(await peer.end()).toBe(0);
    expect(fileSystem.readFile("/a b").equals(content)).toBe(true);
    expect(fileSystem.lstat("/a b").permissions).toBe(0o640);
    expect(fileSystem.lstat("/empty").size).toBe(0);
    expect(fileSystem.closed).toBe(fileSystem.opened);
    await finished(peer.stream);
  });

  it("takes a file under the name of the target, in place of a longer one", async () => {
    const fileSystem = MemoryFileSystem.from({ "/docs/new": "something much longer" });
    const peer = await start("scp -t new", { ...bound(fileSystem) });
    expect(await put(peer, "old", Buffer.from("short"))).toBe("");
    expect(await peer.end()).toBe(0);
    expect(fileSystem.readFile("/new").toString()).toBe("short");
    const second = await start("scp -t /docs/new", fileSystem);
    expect(await put(second, "old", Buffer.from("short"))).toBe("");
    expect(fileSystem.readFile("/docs/new").toString()).toBe("short");
  });

  it("takes a tree with times and permissions", async () => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -r -p -t /", fileSystem);
    for (const record of ["T1000 0 2000 0\n", "D0555 0 tree\n", "T3000 5 4000 6\n"])
      expect(await peer.ask(record)).toBe("");
    expect(await put(peer, "file", Buffer.from("x"), "4755")).toBe("");
    expect(await peer.ask("D0700 0 sub\n")).toBe("");
    expect(await put(peer, "deep", Buffer.from("y"))).toBe("");
    expect(await peer.ask("E\n")).toBe("");
    expect(await peer.ask("E\n")).toBe("");
    expect(await peer.end()).toBe(0);
    expect(fileSystem.lstat("/tree")).toMatchObject({ permissions: 0o555, modifyTime: 1000, accessTime: 2000 });
    expect(fileSystem.lstat("/tree/file")).toMatchObject({ permissions: 0o4755, modifyTime: 3000, accessTime: 4000 });
    expect(fileSystem.lstat("/tree/sub/deep").modifyTime).toBeGreaterThan(1_000_000);
  });

  it("keeps no set-user-ID without -p, and gives a directory its few permissions at the end", async () => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -r -t /", fileSystem);
    expect(await peer.ask("D0577 0 tree\n")).toBe("");
    expect(await put(peer, "file", Buffer.from("x"), "6777")).toBe("");
    expect(await peer.ask("E\n")).toBe("");
    expect(await peer.end()).toBe(0);
    expect(fileSystem.lstat("/tree/file").permissions).toBe(0o755);
    expect(fileSystem.lstat("/tree").permissions).toBe(0o555);
  });

  it("follows links inside the tree only", async () => {
    const fileSystem = MemoryFileSystem.from({ "/real/file": "old" });
    fileSystem.symlink("/real", "/link");
    fileSystem.symlink("../../../../new", "/real/up");
    const peer = await start("scp -t link/file", fileSystem);
    expect(await put(peer, "x", Buffer.from("through a link"))).toBe("");
    const second = await start("scp -t link", fileSystem);
    expect(await put(second, "up", Buffer.from("to the root"))).toBe("");
    expect(fileSystem.readFile("/real/file").toString()).toBe("through a link");
    expect(fileSystem.readFile("/new").toString()).toBe("to the root");
  });

  it("goes on after a file that cannot be made", async () => {
    const fileSystem = MemoryFileSystem.from({ "/dir/file": "1", "/file": "2" });
    const peer = await start("scp -r -t /", fileSystem);
    expect(await peer.ask("C0644 5 dir\n")).toBe("\x01scp: /dir: Is a directory");
    expect(await peer.ask("D0755 0 file\n")).toBe("\x01scp: /file: Not a directory");
    expect(await peer.ask(`C0644 5 ${"n".repeat(300)}\n`)).toBe(`\x01scp: /${"n".repeat(300)}: File name too long`);
    expect(await put(peer, "good", Buffer.from("x"))).toBe("");
    expect(await peer.end()).toBe(1);
    expect(names(fileSystem)).toEqual(["dir", "file", "good"]);
  });

  it("makes no directory of a target with a slash at its end", async () => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -t new/", fileSystem);
    expect(await put(peer, "file", Buffer.from("x"))).toBe("\x01scp: new/: Is a directory");
    expect(names(fileSystem)).toEqual([]);
  });

  it("refuses a target of -d that is not a directory, and two targets", async () => {
    const peer = new SCPTestPeer("scp -d -t /file", { fileSystem: MemoryFileSystem.from({ "/file": "" }) });
    expect(await peer.answer()).toBe("\x02scp: /file: Not a directory");
    expect(await peer.exitStatus()).toBe(1);
    const ambiguous = new SCPTestPeer("scp -t a b", { fileSystem: new MemoryFileSystem() });
    expect(await ambiguous.answer()).toBe("\x02scp: ambiguous target");
  });

  it("reads the rest of a file that finds no room, says so and goes on", async () => {
    const fileSystem = new MemoryFileSystem({ quota: 600_000 });
    const peer = await start("scp -t /", fileSystem);
    expect(await put(peer, "large", testBytes(3_000_000))).toBe("\x01scp: /large: No space left on device");
    fileSystem.remove("/large");
    expect(await put(peer, "small", Buffer.from("fits"))).toBe("");
    expect(await peer.end()).toBe(1);
    expect(fileSystem.readFile("/small").toString()).toBe("fits");
  });

  it("says what goes wrong when a file is closed", async () => {
    const memory = new MemoryFileSystem();
    const fileSystem: FileSystem = {
      ...bound(memory),
      open: (path, options) => failingClose(memory.open(path, options)),
    };
    const peer = await start("scp -t /", fileSystem);
    expect(await put(peer, "file", Buffer.from("x"))).toBe("\x01scp: /file: Disk quota exceeded");
    expect(await peer.end()).toBe(1);
  });

  it("never tells what is in errors of others", async () => {
    const memory = new MemoryFileSystem();
    const secret = Object.assign(new Error("EIO: i/o error, open '/srv/secret'"), { code: "EIO" });
    const logged: object[] = [];
    const failures: unknown[] = [secret, new Error("at /srv/secret"), null];
    const fileSystem: FileSystem = {
      ...bound(memory),
      open: () => {
        throw failures.shift();
      },
    };
    const logger = { debug: () => {}, warn: (fields: object) => logged.push(fields) };
    const peer = new SCPTestPeer("scp -t /", { fileSystem, logger });
    expect(await peer.answer()).toBe("");
    expect(await peer.ask("C0644 1 a\n")).toBe("\x01scp: /a: Input/output error");
    expect(await peer.ask("C0644 1 b\x1b\n")).toBe("\x01scp: /b?: Failure");
    expect(await peer.ask("C0644 1 c\n")).toBe("\x01scp: /c: Failure");
    expect(logged).toMatchObject([{ path: "/b\\u{1b}" }, { path: "/c" }]);
  });

  it("goes on after a warning of the client, with exit status 1", async () => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -t /", fileSystem);
    peer.send("\x01scp: other: Permission denied\n");
    expect(await put(peer, "file", Buffer.from("x"))).toBe("");
    expect(await peer.end()).toBe(1);
    const second = await start("scp -t /", fileSystem);
    second.send("\x02scp: given up\n");
    expect(await second.exitStatus()).toBe(1);
  });
});

describe("the policy of a sink", () => {
  it("is asked with canonical paths, and only true allows", async () => {
    const asked: string[] = [];
    const access = {
      ...allowAll,
      checkFileAccess: (path: string, mode: string) => {
        asked.push(`${mode} ${path}`);
        if (path === "/dir/throws") throw new Error("no");
        return path === "/dir/truthy" ? ("yes" as unknown as boolean) : path !== "/dir/no";
      },
    };
    const fileSystem = MemoryFileSystem.from({ "/dir/old": "untouched" });
    fileSystem.symlink("dir", "/link");
    const peer = await start("scp -t /link/../link", fileSystem, access);
    expect(await put(peer, "no", Buffer.from("x"))).toBe("\x01scp: /link/../link/no: Permission denied");
    expect(await put(peer, "truthy", Buffer.from("x"))).toBe("\x01scp: /link/../link/truthy: Permission denied");
    expect(await put(peer, "throws", Buffer.from("x"))).toBe("\x01scp: /link/../link/throws: Failure");
    expect(await put(peer, "yes", Buffer.from("x"))).toBe("");
    expect(names(fileSystem, "/dir")).toEqual(["old", "yes"]);
    expect(new Set(asked)).toEqual(new Set(["w /dir/no", "w /dir/truthy", "w /dir/throws", "w /dir/yes"]));
  });

  it("refuses directories and says what permissions are given", async () => {
    const fileSystem = new MemoryFileSystem();
    const access: AccessPolicy = {
      ...allowAll,
      checkDirectoryAccess: (path) => path !== "/no",
      getFilePermissions: async () => 0o600,
      getDirectoryPermissions: () => 0o700,
    };
    const peer = await start("scp -r -p -t /", fileSystem, access);
    expect(await peer.ask("D0755 0 no\n")).toBe("\x01scp: /no: Permission denied");
    expect(await peer.ask("D0755 0 yes\n")).toBe("");
    expect(await put(peer, "file", Buffer.from("x"), "0777")).toBe("");
    expect(await peer.ask("E\n")).toBe("");
    expect(await peer.end()).toBe(1);
    expect(fileSystem.lstat("/yes").permissions).toBe(0o700);
    expect(fileSystem.lstat("/yes/file").permissions).toBe(0o600);
  });
});

describe("a hostile source", () => {
  const refused: Readonly<Record<string, readonly string[]>> = {
    "error: unexpected filename": [
      ...["C0644 5 ../x\n", "C0644 5 a/b\n", "C0644 5 ..\n", "C0644 5 .\n", "C0644 5 \n", "C0644 5 a\0b\n"],
      ...["D0755 0 ..\n", "D0755 0 .\n", "D0755 0 /\n"],
    ],
    "protocol error: mode or size not understood": [
      ...["C0644 -1 a\n", "C0644 0x10 a\n", "C0644 5\n", "C0644  5 a\n"],
      ...["C644 5 a\n", "C00644 5 a\n", "C0688 5 a\n"],
    ],
    "protocol error: size out of range": [
      ...["C0644 9007199254740992 a\n", "C0644 9223372036854775807 a\n", "C0644 99999999999999999999999999 a\n"],
    ],
    "protocol error: times not understood": ["T-1 0 0 0\n", "T1 0 1\n", "T1x 0 1 0\n", "T9999999999999999 0 1 0\n"],
    "protocol error: end of no directory": ["E\n"],
    "protocol error: expected control record": ["Ex\n", "hello\n", "\n", "\0"],
    "protocol error: line too long": [
      ...[`C0644 5 ${"a".repeat(9000)}\n`, `T${"1".repeat(10 * 1024 * 1024)}\n`, `C${"0".repeat(10 * 1024 * 1024)}`],
    ],
  };
  const records = Object.entries(refused).flatMap(([reason, all]) => all.map((record) => [reason, record] as const));

  it.each(records)("is told %s (%#), and nothing is made", async (reason, record) => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -r -t /", fileSystem);
    expect(await peer.ask(record)).toContain(`\x02scp: ${reason}`);
    expect(await peer.exitStatus()).toBe(1);
    expect(names(fileSystem)).toEqual([]);
  });

  it("may send no directory without -r", async () => {
    const peer = await start("scp -t /", new MemoryFileSystem());
    expect(await peer.ask("D0755 0 a\n")).toBe("\x02scp: protocol error: received directory without -r");
  });

  it("may not nest directories without end", async () => {
    const fileSystem = new MemoryFileSystem();
    const peer = await start("scp -r -t /", fileSystem);
    let accepted = 0;
    for (let depth = 0; depth < extent(1_000, 10_000); depth++) if ((await peer.ask("D0755 0 d\n")) === "") accepted++;
    expect(accepted).toBe(256);
    expect(await put(peer, "file", Buffer.from("x"))).toBe("");
    for (let depth = 0; depth < accepted; depth++) expect(await peer.ask("E\n")).toBe("");
    expect(await peer.end()).toBe(1);
  });

  it("leaves what it has sent when it ends early", async () => {
    const fileSystem = new CountingFileSystem();
    const content = testBytes(1_000_000);
    const peer = await start("scp -t /", fileSystem);
    expect(await peer.ask("C0644 9007199254740991 file\n")).toBe("");
    peer.send(content);
    expect(await peer.end()).toBe(1);
    expect(fileSystem.readFile("/file").equals(content)).toBe(true);
    expect(fileSystem.closed).toBe(1);
  });

  it.each(["", "C0644 5", "C0644 10 a\nhello", "C0644 5 a\nhello", "D0755 0 a\n", "T1 0 1 0\n"])(
    "releases everything when the stream is destroyed after %j",
    async (data) => {
      const fileSystem = new CountingFileSystem();
      const peer = await start("scp -r -t /", fileSystem);
      if (data !== "") peer.send(data);
      peer.stream.destroy();
      await peer.server.closed;
      expect(fileSystem.closed).toBe(fileSystem.opened);
    },
  );

  it("gets no further without taking its answers", async () => {
    const fileSystem = new MemoryFileSystem();
    const [record, count] = ["T1 0 1 0\n", 100_000];
    const peer = await start("scp -t /", fileSystem);
    let taken = 0;
    for (let sent = 0; sent < count; sent++) peer.stream.write(record, () => taken++);
    for (let before = -1; before !== taken; ) {
      before = taken;
      for (let turn = 0; turn < 100; turn++) await setImmediate();
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(count);
    peer.stream.destroy();
    await peer.server.closed;
  });

  it("cannot break the server with any bytes", async () => {
    const record = fc.oneof(
      fc.constantFrom("C0644 3 a\n", "D0755 0 d\n", "E\n", "T1 0 1 0\n", "abc\0", "\0", "\x01w\n"),
      fc.string({ unit: codePoint }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 20 }), async (records) => {
        const fileSystem = new CountingFileSystem();
        const peer = new SCPTestPeer("scp -r -p -t /", { fileSystem });
        for (const data of records) peer.send(data);
        peer.stream.resume();
        expect(await peer.end()).toBeTypeOf("number");
        expect(fileSystem.closed).toBe(fileSystem.opened);
      }),
    );
  });
});

describe("a name that another session changes", () => {
  it("is not waited for when the client has gone", async () => {
    const fileSystem = MemoryFileSystem.from({ "/d/file": "content" });
    let goOn = (): void => {};
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const rename = fileSystem.rename.bind(fileSystem);
    const halted = Object.assign(fileSystem, {
      rename: (from: string, to: string) => going.then(() => rename(from, to)),
    });
    const guard = new AccessGuard(allowAll, { decide: () => true, connection: undefined });
    const moved = new GuardedFileSystem(halted as FileSystem, guard, "/").rename("/d", "/e", "refuse");
    await setImmediate();
    const peer = new SCPTestPeer("scp -t /d", { fileSystem: halted as FileSystem, access: () => true });
    await peer.answer();
    peer.send("C0644 4 new\n");
    await setImmediate();
    await setImmediate();
    peer.stream.destroy();
    await peer.server.closed;
    goOn();
    await moved;
    expect(names(fileSystem, "/e")).toEqual(["file"]);
  }, 5000);
});

/** The methods of a memory file system as an object of their own, some of which may be replaced. */
function bound(memory: MemoryFileSystem): FileSystem {
  return {
    open: (path, options) => memory.open(path, options),
    lstat: (path) => memory.lstat(path),
    mkdir: (path, permissions) => memory.mkdir(path, permissions),
    readdir: (path) => memory.readdir(path),
  };
}

function failingClose(handle: FileHandle): FileHandle {
  return {
    write: (data, position) => handle.write?.(data, position),
    close: () => {
      throw new FileError("EDQUOT");
    },
  };
}
