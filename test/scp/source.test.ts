import { describe, expect, it } from "vitest";
import { type AccessPolicy, allowAll } from "../../src/files/access-policy.js";
import { FileError } from "../../src/files/errors.js";
import type { FileHandle, FileSystem } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { StatusCode } from "../../src/sftp/codec/constants.js";
import { SFTPError } from "../../src/sftp/codec/sftp-error.js";
import { dotted } from "../support/dotted-file-system.js";
import { testBytes } from "../support/server.js";
import { SCPTestPeer } from "./scp-peer.js";

const OK = Buffer.of(0);

function start(commandLine: string, fileSystem: FileSystem, access?: Partial<AccessPolicy>): SCPTestPeer {
  const peer = new SCPTestPeer(commandLine, { fileSystem, access: { ...allowAll, ...access } });
  peer.send(OK);
  return peer;
}

/** All that a source sends to a sink that takes everything: its lines, and contents as text. */
async function receiveAll(peer: SCPTestPeer): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await peer.line();
    if (line === "") return lines;
    lines.push(line);
    if (line.startsWith("\x01")) continue;
    peer.send(OK);
    const size = /^C\d{4} (\d+) /.exec(line)?.[1];
    if (size === undefined) continue;
    lines.push((await peer.read(Number(size))).toString());
    const status = await peer.answer();
    if (status !== "") lines.push(status);
    peer.send(OK);
  }
}

const tree = () =>
  MemoryFileSystem.from({ "/dir/b.txt": "two", "/dir/a.txt": "one", "/dir/.hidden.txt": "", "/top": "x" });

describe("a source", () => {
  it("gives a file, in blocks", async () => {
    const content = testBytes(700_001);
    const peer = start("scp -f /a", MemoryFileSystem.from({ "/a": content }));
    expect(await peer.line()).toBe("C0644 700001 a");
    peer.send(OK);
    expect((await peer.read(content.length)).equals(content)).toBe(true);
    expect(await peer.answer()).toBe("");
    peer.send(OK);
    expect(await peer.exitStatus()).toBe(0);
  });

  it("gives an empty file, and times with -p", async () => {
    const fileSystem = MemoryFileSystem.from({ "/a": "" });
    fileSystem.setstat("/a", { permissions: 0o4755, times: { accessTime: 5, modifyTime: 7 } });
    const peer = start("scp -p -f a", fileSystem);
    expect(await receiveAll(peer)).toEqual(["T7 0 5 0", "C4755 0 a", ""]);
    expect(await peer.exitStatus()).toBe(0);
  });

  it("does not go round in a directory whose file system lists `.` and `..`", async () => {
    const peer = start("scp -r -f /dir", dotted(MemoryFileSystem.from({ "/dir/file": "text" })));
    expect(await receiveAll(peer)).toEqual(["D0755 0 dir", "C0644 4 file", "text", "E"]);
    const names = start("scp -f /dir/*", dotted(MemoryFileSystem.from({ "/dir/file": "text" })));
    expect(await receiveAll(names)).toEqual(["C0644 4 file", "text"]);
  });

  it("gives a tree, with links followed inside it and none followed in circles", async () => {
    const fileSystem = MemoryFileSystem.from({ "/tree/sub/file": "text" });
    fileSystem.symlink("sub/file", "/tree/link");
    fileSystem.symlink("..", "/tree/sub/up");
    fileSystem.symlink("nowhere", "/tree/dangling");
    fileSystem.symlink("self", "/tree/self");
    const peer = start("scp -r -f tree", fileSystem);
    expect(await receiveAll(peer)).toEqual([
      "D0755 0 tree",
      "D0755 0 sub",
      "C0644 4 file",
      "text",
      "\x01scp: tree/sub/up: Too many levels of symbolic links",
      "E",
      "C0644 4 link",
      "text",
      "\x01scp: tree/dangling: No such file or directory",
      "\x01scp: tree/self: Too many levels of symbolic links",
      "E",
    ]);
    expect(await peer.exitStatus()).toBe(1);
  });

  it("bounds how deep it goes", async () => {
    const fileSystem = MemoryFileSystem.from({ [`/top${"/d".repeat(300)}/file`]: "x" });
    const lines = await receiveAll(start("scp -r -f top", fileSystem));
    expect(lines.filter((line) => line.startsWith("D"))).toHaveLength(256);
    expect(lines.filter((line) => line === "E")).toHaveLength(256);
  });

  it("says what it cannot give and goes on", async () => {
    const fileSystem = tree();
    const peer = start("scp -f missing dir top", fileSystem);
    expect(await receiveAll(peer)).toEqual([
      "\x01scp: missing: No such file or directory",
      "\x01scp: dir: not a regular file",
      "C0644 1 top",
      "x",
    ]);
    expect(await peer.exitStatus()).toBe(1);
  });

  it("never opens what is neither file nor directory", async () => {
    const memory = tree();
    const fileSystem: FileSystem = {
      lstat: (path) => ({ ...memory.lstat(path), type: "fifo" }),
      open: () => {
        throw new Error("would wait for a writer");
      },
    };
    expect(await receiveAll(start("scp -f top", fileSystem))).toEqual(["\x01scp: top: not a regular file"]);
  });

  it("finds names by patterns, unless they are quoted", async () => {
    expect(await receiveAll(start("scp -f dir/*.txt", tree()))).toEqual([
      "C0644 3 a.txt",
      "one",
      "C0644 3 b.txt",
      "two",
    ]);
    expect(await receiveAll(start("scp -f */[!b].txt to?", tree()))).toEqual([
      "C0644 3 a.txt",
      "one",
      "C0644 1 top",
      "x",
    ]);
    expect(await receiveAll(start("scp -f /d*/a.txt", tree()))).toEqual(["C0644 3 a.txt", "one"]);
    expect(await receiveAll(start("scp -f dir/.h*", tree()))).toEqual(["C0644 0 .hidden.txt", ""]);
    expect(await receiveAll(start("scp -f 'dir/*.txt'", tree()))).toEqual([
      "\x01scp: dir/*.txt: No such file or directory",
    ]);
    expect(await receiveAll(start("scp -f x*", tree()))).toEqual(["\x01scp: x*: No such file or directory"]);
    expect(await receiveAll(start("scp -f */", tree()))).toEqual(["\x01scp: dir: not a regular file"]);
  });

  it("bounds what a pattern may stand for", async () => {
    const memory = tree();
    const { attributes } = { attributes: memory.lstat("/top") };
    const fileSystem: FileSystem = {
      lstat: (path) => memory.lstat(path),
      *readdir() {
        for (let number = 0; ; number++) yield { name: `file${number}`, attributes };
      },
    };
    expect(await receiveAll(start("scp -f f*", fileSystem))).toEqual(["\x01scp: f*: Argument list too long"]);
    expect(await receiveAll(start("scp -f x*", fileSystem))).toEqual(["\x01scp: x*: Argument list too long"]);
  });

  it("starts at the start directory and cannot get above the root", async () => {
    const open = (line: string) => {
      const peer = new SCPTestPeer(line, { fileSystem: tree(), startDirectory: "/dir" });
      peer.send(OK);
      return receiveAll(peer);
    };
    expect(await open("scp -f a.txt ~/b.txt")).toEqual(["C0644 3 a.txt", "one", "C0644 3 b.txt", "two"]);
    expect(await open("scp -f ../../../../top")).toEqual(["C0644 1 top", "x"]);
    const [first] = await open("scp -r -f .");
    expect(first).toBe("D0755 0 dir");
  });

  it("writes names with control characters so that lines stay lines", async () => {
    const fileSystem = MemoryFileSystem.from({ "/dir/a\nC0644 1 b": "x" });
    expect(await receiveAll(start("scp -r -f dir", fileSystem))).toEqual([
      "D0755 0 dir",
      "C0644 1 a\\^JC0644 1 b",
      "x",
      "E",
    ]);
    const missing = start("scp -f 'a\nb\x1b[0m'", fileSystem);
    expect(await receiveAll(missing)).toEqual(["\x01scp: a?b?[0m: No such file or directory"]);
  });

  it("fills up with zeros what a file has lost, and says so", async () => {
    const memory = MemoryFileSystem.from({ "/a": testBytes(1_000_000), "/b": "next" });
    const peer = start("scp -f a b", memory);
    expect(await peer.line()).toBe("C0644 1000000 a");
    memory.setstat("/a", { size: 300_000 });
    peer.send(OK);
    const received = await peer.read(1_000_000);
    expect(received.subarray(0, 262_144).equals(testBytes(262_144))).toBe(true);
    expect(received.subarray(300_000).equals(Buffer.alloc(700_000))).toBe(true);
    expect(await peer.answer()).toBe("\x01scp: a: file became shorter while it was sent");
    peer.send(OK);
    expect(await receiveAll(peer)).toEqual(["C0644 4 b", "next"]);
    expect(await peer.exitStatus()).toBe(1);
  });

  it("goes on after an error of the disk", async () => {
    const memory = MemoryFileSystem.from({ "/a": "abc" });
    const fileSystem: FileSystem = {
      lstat: (path) => memory.lstat(path),
      open: () => ({
        read: () => {
          throw new FileError("EIO");
        },
      }),
    };
    expect(await receiveAll(start("scp -f a", fileSystem))).toEqual([
      "C0644 3 a",
      "\0\0\0",
      "\x01scp: a: Input/output error",
    ]);
  });

  it.each([new FileError("ENOENT", "No such report"), new SFTPError(StatusCode.PERMISSION_DENIED, "Not for you")])(
    "tells the text of a file system's own error: %s",
    async (error) => {
      const peer = start("scp -f a", { lstat: () => Promise.reject(error) });
      expect(await receiveAll(peer)).toEqual([`\x01scp: a: ${error.message}`]);
      expect(await peer.exitStatus()).toBe(1);
    },
  );

  it.each([-1, 0.5, Number.NaN, 4])("sends zeros where a file system says it has read %s bytes of 3", async (count) => {
    const memory = MemoryFileSystem.from({ "/a": "abc" });
    const fileSystem: FileSystem = { lstat: (path) => memory.lstat(path), open: () => ({ read: () => count }) };
    expect(await receiveAll(start("scp -f a", fileSystem))).toEqual(["C0644 3 a", "\0\0\0", "\x01scp: a: Failure"]);
  });

  it("does not tell whether there is what the policy hides", async () => {
    const access: Partial<AccessPolicy> = { checkFileAccess: (path) => path === "/top" };
    const names = "dir/a.txt dir/missing link/a.txt link/missing missing dir/missing/../x d*/a.txt */missing to*";
    const fileSystem = tree();
    fileSystem.symlink("dir", "/link");
    expect(await receiveAll(start(`scp -f ${names}`, fileSystem, access))).toEqual([
      "\x01scp: dir/a.txt: Permission denied",
      "\x01scp: dir/missing: Permission denied",
      "\x01scp: link/a.txt: Permission denied",
      "\x01scp: link/missing: Permission denied",
      "\x01scp: missing: Permission denied",
      "\x01scp: dir/missing/../x: Permission denied",
      "\x01scp: d*/a.txt: Permission denied",
      "\x01scp: */missing: Permission denied",
      "C0644 1 top",
      "x",
    ]);
  });

  it("asks the policy for files and directories", async () => {
    const asked: string[] = [];
    const fileSystem = tree();
    fileSystem.symlink("dir", "/link");
    const access: Partial<AccessPolicy> = {
      checkFileAccess: (path, mode) => {
        asked.push(`${mode} ${path}`);
        return path !== "/dir/a.txt";
      },
      checkDirectoryAccess: async (path) => path !== "/no",
    };
    fileSystem.mkdir("/no", 0o755);
    const lines = await receiveAll(start("scp -r -f link/a.txt link/b.txt no n*/*", fileSystem, access));
    expect(lines).toEqual([
      "\x01scp: link/a.txt: Permission denied",
      "C0644 3 b.txt",
      "two",
      "\x01scp: no: Permission denied",
      "\x01scp: n*/*: No such file or directory",
    ]);
    expect(new Set(asked)).toEqual(new Set(["r /dir/a.txt", "r /dir/b.txt", "r /n*/*"]));
  });
});

describe("the sink that a source talks to", () => {
  it("may refuse a file or a directory, and gets the next", async () => {
    const peer = start("scp -r -f dir top", tree());
    expect(await peer.line()).toBe("D0755 0 dir");
    peer.send("\x01scp: dir: Permission denied\n");
    expect(await peer.line()).toBe("C0644 1 top");
    peer.send("\x01scp: top: Permission denied\n");
    expect(await peer.exitStatus()).toBe(1);
  });

  it.each(["\x02given up\n", "x\n", ""])("ends the session with %j", async (answer) => {
    const peer = start("scp -f top dir/a.txt", tree());
    expect(await peer.line()).toBe("C0644 1 top");
    peer.send(answer);
    expect(await peer.end()).toBe(1);
    expect(await peer.line()).toBe("");
  });

  it("is told of a line that is too long", async () => {
    const peer = start("scp -f top", tree());
    expect(await peer.line()).toBe("C0644 1 top");
    peer.send(`\x01${"a".repeat(10 * 1024 * 1024)}`);
    expect(await peer.line()).toBe("\x02scp: protocol error: line too long");
    expect(await peer.exitStatus()).toBe(1);
  });

  it("does not keep files open when it goes away", async () => {
    const memory = MemoryFileSystem.from({ "/dir/a": testBytes(3_000_000) });
    let open = 0;
    let pendingReads = 0;
    const fileSystem: FileSystem = {
      lstat: (path) => memory.lstat(path),
      async *readdir(path) {
        open++;
        try {
          yield* memory.readdir(path);
        } finally {
          open--;
        }
      },
      open: (path, options): FileHandle => {
        const handle = memory.open(path, options);
        open++;
        return {
          async read(buffer, position) {
            pendingReads++;
            await Promise.resolve();
            pendingReads--;
            return handle.read(buffer, position);
          },
          close() {
            expect(pendingReads).toBe(0);
            open--;
          },
        };
      },
    };
    const peer = start("scp -r -f dir", fileSystem);
    await peer.line();
    peer.send(OK);
    await peer.line();
    peer.send(OK);
    await peer.read(100_000);
    expect(open).toBe(2);
    peer.stream.destroy();
    await peer.server.closed;
    expect(open).toBe(0);
  });
});
