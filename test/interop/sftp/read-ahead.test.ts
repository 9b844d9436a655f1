import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import type { Channel } from "../../../src/index.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import { needs } from "../../support/clients.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { FolderServer } from "../../support/sftp-server.js";

/** Bytes that paramiko asks for. */
const LENGTH = 32 * 1024;
const BLOCKS = 40;

/** Reads that are answered together. */
const TOGETHER = 4;

/** Milliseconds after which fewer are answered, too. */
const PATIENCE = 100;

/** Files whose reads all take as long as one: they are answered when some are under way. */
class DistantFiles {
  /** Times that a read, or some together, were waited for. */
  delays = 0;
  reads = 0;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  of(memory: MemoryFileSystem): FileSystem {
    return {
      lstat: (path) => memory.lstat(path),
      open: (path, options) => {
        const handle = memory.open(path, options);
        return {
          stat: () => handle.stat(),
          read: async (buffer, position) => {
            await this.#delay();
            return handle.read(buffer, position);
          },
        };
      },
    };
  }

  #delay(): Promise<void> {
    this.reads++;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === TOGETHER) this.#answer();
      else this.#timer ??= setTimeout(() => this.#answer(), PATIENCE);
    });
  }

  #answer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.delays++;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

class DistantServer extends FolderServer {
  fileSystem: FileSystem = {};

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { fileSystem: this.fileSystem });
    return true;
  }
}

const server = new DistantServer();
const fixture = sftpFixture(server);

describe("paramiko, which asks for one block at a time", needs("paramiko"), () => {
  it("waits for a distant file system less than half as often as it reads", async () => {
    const content = Array.from({ length: BLOCKS }, (_, block) => `${block % 10}`.repeat(LENGTH)).join("");
    const files = new DistantFiles();
    server.fileSystem = files.of(MemoryFileSystem.from({ "/file": content }));
    const [read] = await fixture.operateOk("paramiko", [["read", "/file", 0, content.length]]);
    expect(read === content).toBe(true);
    expect(files.reads).toBeGreaterThanOrEqual(BLOCKS);
    expect(files.delays).toBeLessThan(BLOCKS / 2);
  });
});
