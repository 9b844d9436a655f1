import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FileHandle } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { OpenFlag, PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { pattern } from "../../../files/conformance/drive.js";
import { readerOf } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const { FAILURE, BAD_MESSAGE, OP_UNSUPPORTED, PERMISSION_DENIED, NO_SUCH_FILE } = StatusCode;

const content = pattern(700_000);

function digest(algorithm: string, start = 0, end = content.length): string {
  return createHash(algorithm).update(content.subarray(start, end)).digest("hex");
}

async function setUp() {
  const { client } = await startSession(MemoryFileSystem.from({ "/file": content, "/empty": "" }));
  const handle = await client.open("/file");
  const check = async (algorithms: string, start: bigint, length: bigint, blockLength: number) => {
    const byHandle = await client.askExtended("check-file-handle", handle, algorithms, start, length, blockLength);
    const byName = await client.askExtended("check-file-name", "/file", algorithms, start, length, blockLength);
    const byOldName = await client.askExtended("check-file", handle, algorithms, start, length, blockLength);
    expect(byName.body).toEqual(byHandle.body);
    expect(byOldName.body).toEqual(byHandle.body);
    const fields = readerOf(byHandle, PacketType.EXTENDED_REPLY);
    expect(fields.readText()).toBe("check-file");
    return { algorithm: fields.readText(), hashes: fields.readRest().toString("hex") };
  };
  return { client, handle, check };
}

describe("check-file-handle and check-file-name", () => {
  it.each(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])("%s of a whole file", async (algorithm) => {
    const { check } = await setUp();
    expect(await check(algorithm, 0n, 0n, 0)).toEqual({ algorithm, hashes: digest(algorithm) });
  });

  it("the first algorithm that the server knows", async () => {
    const { check } = await setUp();
    expect((await check("whirlpool,crc32,sha256,md5", 0n, 0n, 0)).algorithm).toBe("sha256");
  });

  it("a part of a file", async () => {
    const { check } = await setUp();
    expect((await check("md5", 100n, 300_000n, 0)).hashes).toBe(digest("md5", 100, 300_100));
    expect((await check("md5", 699_990n, 300_000n, 0)).hashes).toBe(digest("md5", 699_990));
    expect((await check("md5", 800_000n, 1n, 0)).hashes).toBe(digest("md5", 0, 0));
  });

  it("each block, the last one shorter", async () => {
    const { check } = await setUp();
    const blocks = (start: number, end: number, length: number) => {
      let hashes = "";
      for (let at = start; at < end; at += length) hashes += digest("md5", at, Math.min(end, at + length));
      return hashes;
    };
    expect((await check("md5", 0n, 0n, 256)).hashes).toBe(blocks(0, content.length, 256));
    expect((await check("md5", 5n, 100_000n, 300_000)).hashes).toBe(blocks(5, 100_005, 300_000));
    expect((await check("md5", 0n, 1000n, 500)).hashes).toBe(blocks(0, 1000, 500));
  });

  it("refuses what it cannot do", async () => {
    const { client, handle } = await setUp();
    const status = (algorithms: string, start: bigint, length: bigint, blockLength: number) =>
      client.extendedStatus("check-file-handle", handle, algorithms, start, length, blockLength);
    expect((await status("crc32", 0n, 0n, 0)).code).toBe(OP_UNSUPPORTED);
    expect((await status("", 0n, 0n, 0)).code).toBe(OP_UNSUPPORTED);
    expect((await status("md5,\n", 0n, 0n, 0)).code).toBe(BAD_MESSAGE);
    expect((await status("md5", 0n, 0n, 255)).code).toBe(FAILURE);
    expect((await status("md5", 2n ** 64n - 1n, 0n, 0)).code).toBe(FAILURE);
    expect((await status("md5", 0n, 2n ** 64n - 1n, 0)).code).toBe(FAILURE);
    expect((await client.extendedStatus("check-file-name", "/none", "md5", 0n, 0n, 0)).code).toBe(NO_SUCH_FILE);
    const writing = await client.open("/file", OpenFlag.WRITE);
    const reply = await client.extendedStatus("check-file-handle", writing, "md5", 0n, 0n, 0);
    expect(reply.code).toBe(PERMISSION_DENIED);
  });

  it("refuses more hashes than a packet holds", async () => {
    const files = MemoryFileSystem.from({ "/large": Buffer.alloc(256 * 5_000) });
    const { client } = await startSession(files);
    const reply = await client.extendedStatus("check-file-name", "/large", "sha512", 0n, 0n, 256);
    expect(reply).toEqual({ code: FAILURE, message: "Too many blocks for one reply" });
  });

  it("closes the file that it opened by name, whatever happens", async () => {
    let open = 0;
    const make = (read: NonNullable<FileHandle["read"]>): FileHandle => {
      open++;
      return { read, close: () => void open-- };
    };
    const failing = () => Promise.reject(Object.assign(new Error("/real/path"), { code: "EIO" }));
    for (const read of [() => 0, failing, () => -1]) {
      const { client } = await startSession({ open: () => make(read) });
      await client.askExtended("check-file-name", "/x", "md5", 0n, 0n, 0);
      expect(open).toBe(0);
    }
  });

  it("hashes one file at a time, while other requests go on", async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const read = async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
      return 0;
    };
    const { client } = await startSession({ open: () => ({ read, write: () => {} }) });
    const handle = await client.open("/x", OpenFlag.READ | OpenFlag.WRITE);
    const pending = [1, 2, 3].map(() => client.askExtended("check-file-handle", handle, "md5", 0n, 0n, 0));
    pending.push(client.askExtended("check-file-name", "/y", "md5", 0n, 0n, 0));
    expect((await client.status(PacketType.STAT, "/z")).code).toBe(OP_UNSUPPORTED);
    await client.open("/other");
    expect(client.replies.filter(({ type }) => type === PacketType.EXTENDED_REPLY)).toEqual([]);
    for (let done = 0; done < pending.length; ) {
      waiting.shift()?.();
      await new Promise(setImmediate);
      done = client.replies.filter(({ type }) => type === PacketType.EXTENDED_REPLY).length;
    }
    expect(most).toBe(1);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9, "5", undefined])(
    "ends where a file system says it has read %s bytes",
    async (count) => {
      const { client } = await startSession({ open: () => ({ read: () => count as number }) });
      const handle = await client.open("/x");
      const reply = await client.extendedStatus("check-file-handle", handle, "md5", 0n, 1000n, 0);
      expect(reply).toEqual({ code: FAILURE, message: "Failure" });
    },
  );
});
