import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { PacketType } from "../../src/sftp/codec/constants.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import { builtFile } from "../support/build.js";
import { needs } from "../support/clients.js";
import { SFTPPacketClient } from "../support/sftp-client.js";
import { extended, NO_ATTRIBUTES, readData, request } from "../support/sftp-packets.js";
import { ExternalProcess, runOk } from "../support/tools.js";

const { LSTAT, OPEN, OPENDIR, READ, RENAME, MKDIR } = PacketType;

describe("where something is mounted in the root that no longer answers", needs("sshfs", "FUSE"), () => {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-hung-"));
  const mountPoint = join(folder, "mount point");
  const listener = createServer((socket) => {
    new SFTPServer(socket, {
      fileSystem: MemoryFileSystem.from({ "/file": "far", "/directory/file": "far" }),
      logger: false,
    });
  });
  let sshfs: ExternalProcess | undefined;

  beforeAll(async () => {
    mkdirSync(mountPoint);
    writeFileSync(join(folder, "file"), "near");
    await once(listener.listen(0, "127.0.0.1"), "listening");
    const { port } = listener.address() as AddressInfo;
    const cache = ["-o", "dir_cache=no,entry_timeout=0,attr_timeout=0"];
    sshfs = new ExternalProcess("sshfs", ["-f", "-o", `directport=${port}`, ...cache, "localhost:/", mountPoint], {
      timeout: 60_000,
    });
    await vi.waitFor(() => expect(readFileSync("/proc/mounts", "utf8")).toContain(`${folder}/mount\\040point`), 10_000);
  });
  afterAll(async () => {
    sshfs?.kill("SIGCONT");
    sshfs?.kill();
    await runOk("fusermount3", ["-u", "-z", mountPoint]);
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const inside = Array.from({ length: 8 }, (_, number) => `/mount point/directory/${number}`);

  it.each<[what: string, requests: readonly Buffer[]]>([
    ["looks at it", [request(LSTAT, 1, "/mount point")]],
    [
      "lists the directory that it lies in",
      [request(OPENDIR, 1, "/"), request(PacketType.READDIR, 2, Buffer.of(0, 0, 0, 1))],
    ],
    ["looks at what is in it", inside.map((path, id) => request(LSTAT, id, path))],
    ["opens what is in it", inside.map((path, id) => request(OPEN, id, path, 1, NO_ATTRIBUTES))],
    ["renames into it", inside.map((path, id) => request(RENAME, id, "/none", path))],
    ["makes directories in it", inside.map((path, id) => request(MKDIR, id, path, NO_ATTRIBUTES))],
    ["asks how much room it has", inside.map((_, id) => extended(id, "statvfs@openssh.com", "/mount point"))],
    ["hashes what is in it", inside.map((path, id) => extended(id, "check-file-name", path, "md5", 0n, 0n, 0))],
  ])(
    "one client %s: the others go on",
    async (_, requests) => {
      const server = fork(builtFile("test/attack/sftp-folder-process.ts"), [folder]);
      try {
        const [port] = await once(server, "message");
        const start = () => SFTPPacketClient.start(connect(Number(port), "127.0.0.1"));
        const [attacker, other] = [await start(), await start()];
        // The directories are known before.
        await attacker.ask(LSTAT, "/mount point/directory/file");
        sshfs?.kill("SIGSTOP");
        attacker.send(...requests);
        await attacker.askExtended("limits@openssh.com");
        const file = await other.open("/file");
        expect(readData(await other.ask(READ, file, 0n, 10)).toString()).toBe("near");
        await other.close(file);
        expect((await other.status(MKDIR, "/new", NO_ATTRIBUTES)).code).toBe(0);
        expect((await other.status(PacketType.RMDIR, "/new")).code).toBe(0);
        expect((await other.askExtended("statvfs@openssh.com", "/")).type).toBe(PacketType.EXTENDED_REPLY);
      } finally {
        sshfs?.kill("SIGCONT");
        server.kill("SIGKILL");
      }
    },
    30_000,
  );
});
