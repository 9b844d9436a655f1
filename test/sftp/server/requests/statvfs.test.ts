import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { StatusCode } from "../../../../src/sftp/codec/constants.js";
import { encodeFields } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const statistics = {
  blockSize: 4096,
  blocks: 1,
  freeBlocks: 2,
  availableBlocks: 3,
  files: 4,
  freeFiles: 5,
  availableFiles: 6,
  maximumNameLength: 255,
};
const counts = [4096n, 4096n, 1n, 2n, 3n, 4n, 5n, 6n];

function serve(own: Partial<Awaited<ReturnType<NonNullable<FileSystem["statvfs"]>>>> = {}): FileSystem {
  const files = MemoryFileSystem.from({ "/file": "" });
  return {
    lstat: (path) => files.lstat(path),
    readdir: (path) => files.readdir(path),
    open: (path, options) => files.open(path, options),
    statvfs: () => ({ ...statistics, ...own }),
  };
}

describe("statvfs@openssh.com and fstatvfs@openssh.com", () => {
  it("eleven numbers (OpenSSH PROTOCOL §4.4)", async () => {
    const { client } = await startSession(serve());
    const reply = await client.askExtended("statvfs@openssh.com", "/file");
    expect(reply.bytes.subarray(0, 9).toString("hex")).toBe("0000005dc900000001");
    expect(reply.body).toEqual(encodeFields(...counts, 0n, 0n, 255n));
  });

  it("for open files and directories, too", async () => {
    const { client } = await startSession(serve());
    for (const handle of [await client.open("/file"), await client.opendir("/")]) {
      const reply = await client.askExtended("fstatvfs@openssh.com", handle);
      expect(reply.body).toEqual(encodeFields(...counts, 0n, 0n, 255n));
    }
  });

  it("tell the file system's number and that nothing can be written", async () => {
    const { client } = await startSession(serve({ fileSystemId: -1n, readOnly: true }));
    const reply = await client.askExtended("statvfs@openssh.com", "/");
    expect(reply.body).toEqual(encodeFields(...counts, 2n ** 64n - 1n, 1n, 255n));
  });

  it("have no numbers below 0 or between two", async () => {
    const { client } = await startSession(serve({ freeBlocks: -5, availableBlocks: 3.7 }));
    expect((await client.askExtended("statvfs@openssh.com", "/")).body.subarray(24, 40)).toEqual(encodeFields(0n, 3n));
  });

  it.each([{ blocks: Number.NaN }, { files: Number.POSITIVE_INFINITY }, { maximumNameLength: 0.5 }])(
    "%j: a status",
    async (own) => {
      const { client } = await startSession(serve(own));
      const reply = await client.extendedStatus("statvfs@openssh.com", "/");
      expect(reply).toEqual({ code: StatusCode.FAILURE, message: "Failure" });
    },
  );
});
