import { describe, expect, it } from "vitest";
import type { FileHandle } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { OpenFlag, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { pattern } from "../../../files/conformance/drive.js";
import { startSession } from "../session.js";

const { READ, WRITE, APPEND, CREAT } = OpenFlag;
const { OK, FAILURE, PERMISSION_DENIED } = StatusCode;

async function setUp(content: Uint8Array | string = "0123456789") {
  const files = MemoryFileSystem.from({ "/from": content, "/to": "abc" });
  const { client } = await startSession(files);
  const [from, to] = [await client.open("/from", READ | WRITE), await client.open("/to", READ | WRITE)];
  const copy = (start: bigint, length: bigint, target: bigint, source = from, destination = to) =>
    client.extendedStatus("copy-data", source, start, length, destination, target);
  return { files, client, from, to, copy };
}

describe("copy-data", () => {
  it("copies a part (OpenSSH PROTOCOL §4.11)", async () => {
    const { files, copy } = await setUp();
    expect(await copy(2n, 3n, 5n)).toEqual({ code: OK, message: "Success" });
    expect(files.readFile("/to").toString()).toBe("abc\u0000\u0000234");
  });

  it("copies as far as there is something, and all of it for a length of 0", async () => {
    const { files, copy } = await setUp();
    expect((await copy(8n, 100n, 0n)).code).toBe(OK);
    expect(files.readFile("/to").toString()).toBe("89c");
    expect((await copy(0n, 0n, 1n)).code).toBe(OK);
    expect(files.readFile("/to").toString()).toBe("80123456789");
    expect((await copy(11n, 5n, 0n)).code).toBe(OK);
    expect(files.readFile("/to").toString()).toBe("80123456789");
  });

  it("copies more than fits into a packet", async () => {
    const content = pattern(700_000);
    const { files, copy } = await setUp(content);
    expect((await copy(1n, 0n, 0n)).code).toBe(OK);
    expect(files.readFile("/to").equals(content.subarray(1))).toBe(true);
  });

  it("copies within a file what does not overlap", async () => {
    const { files, from, copy } = await setUp();
    expect((await copy(0n, 3n, 3n, from, from)).code).toBe(OK);
    expect(files.readFile("/from").toString()).toBe("0120126789");
    const refused = { code: FAILURE, message: "The two parts overlap" };
    expect(await copy(0n, 3n, 2n, from, from)).toEqual(refused);
    expect(await copy(2n, 3n, 0n, from, from)).toEqual(refused);
    expect(await copy(0n, 0n, 0n, from, from)).toEqual(refused);
    expect(await copy(0n, 0n, 100n, from, from)).toEqual(refused);
    expect(files.readFile("/from").toString()).toBe("0120126789");
  });

  it("knows a file by its other handles", async () => {
    const { files, client, from, copy } = await setUp();
    files.hardlink("/from", "/same");
    const same = await client.open("/same", WRITE | APPEND);
    expect((await copy(0n, 3n, 100n, from, same)).code).toBe(FAILURE);
    expect(files.readFile("/from")).toHaveLength(10);
  });

  it("appends to a file that is open for that", async () => {
    const { files, client, from, copy } = await setUp();
    const to = await client.open("/to", APPEND);
    expect((await copy(0n, 2n, 0n, from, to)).code).toBe(OK);
    expect(files.readFile("/to").toString()).toBe("abc01");
  });

  it("keeps to what the files were opened for", async () => {
    const { client, from, to, copy } = await setUp();
    const reading = await client.open("/to", READ);
    const writing = await client.open("/from", WRITE | CREAT);
    expect((await copy(0n, 1n, 0n, from, reading)).code).toBe(PERMISSION_DENIED);
    expect((await copy(0n, 1n, 0n, writing, to)).code).toBe(PERMISSION_DENIED);
  });

  it("refuses what no file has", async () => {
    const { copy } = await setUp();
    for (const large of [2n ** 53n, 2n ** 64n - 1n]) {
      expect((await copy(large, 1n, 0n)).code).toBe(FAILURE);
      expect((await copy(0n, large, 0n)).code).toBe(FAILURE);
      expect((await copy(0n, 1n, large)).code).toBe(FAILURE);
    }
  });

  it("tells that the disk is full", async () => {
    const files = MemoryFileSystem.from({ "/from": pattern(500_000), "/to": "" }, { quota: 600_000 });
    const { client } = await startSession(files);
    const handles = [await client.open("/from"), await client.open("/to", WRITE)] as const;
    const reply = await client.extendedStatus("copy-data", handles[0], 0n, 0n, handles[1], 0n);
    expect(reply).toEqual({ code: FAILURE, message: "No space left on device" });
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9, "5", undefined])(
    "ends where a file system says it has read %s bytes",
    async (count) => {
      const written: number[] = [];
      const handle: FileHandle = {
        read: () => count as number,
        write: (data) => {
          written.push(data.length);
        },
      };
      const { client } = await startSession({ open: () => handle });
      const [from, to] = [await client.open("/from"), await client.open("/to", WRITE)];
      const reply = await client.extendedStatus("copy-data", from, 0n, 1000n, to, 0n);
      expect(reply).toEqual({ code: FAILURE, message: "Failure" });
      expect(written).toEqual([]);
    },
  );
});
