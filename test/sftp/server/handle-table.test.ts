import { describe, expect, it } from "vitest";
import { iterateEntries } from "../../../src/files/entry-iterator.js";
import type { FileOutcome } from "../../../src/files/file-outcome.js";
import type { FileHandle } from "../../../src/files/file-system.js";
import { FileTransfer } from "../../../src/files/file-transfer.js";
import { StatusCode } from "../../../src/sftp/codec/constants.js";
import { HandleTable, type OpenObject } from "../../../src/sftp/server/handle-table.js";
import { Deferred } from "../../attack/deferred.js";

function file(name = "a", handle: FileHandle = {}): OpenObject {
  const options = { read: true, write: true, append: false, create: false, truncate: false, exclusive: false };
  const opened = { path: `/${name}`, handle };
  return { kind: "file", ...opened, options, identity: name, transfer: new FileTransfer(opened, options) };
}

function directory(): OpenObject {
  return { kind: "directory", path: "/", entries: iterateEntries([]), identity: "d", waiting: [], atEnd: false };
}

const GONE: FileOutcome = { result: "aborted", reason: "client gone" };

const refused = expect.objectContaining({ status: StatusCode.FAILURE });
const full = expect.objectContaining({ code: "EMFILE" });

describe("HandleTable", () => {
  it("finds what a handle names", async () => {
    const table = new HandleTable(10);
    const [one, other] = [file(), directory()];
    const handles = [await table.add(async () => one), await table.add(async () => other)];
    expect(handles.map((handle) => table.get(handle))).toEqual([one, other]);
    expect(table.getFile(handles[0] ?? Buffer.alloc(0))).toBe(one);
    expect(table.getDirectory(handles[1] ?? Buffer.alloc(0))).toBe(other);
    expect(() => table.getDirectory(handles[0] ?? Buffer.alloc(0))).toThrow(refused);
    expect(() => table.getFile(handles[1] ?? Buffer.alloc(0))).toThrow(refused);
  });

  it("never gives a handle again", async () => {
    const table = new HandleTable(1);
    const seen = new Set<string>();
    for (let round = 0; round < 1_000; round++) {
      const handle = await table.add(async () => file());
      seen.add(handle.toString("hex"));
      await table.close(table.take(handle));
      expect(() => table.take(handle)).toThrow(refused);
    }
    expect(seen.size).toBe(1_000);
  });

  it("opens nothing for which there is no place, counting what is being opened", async () => {
    const table = new HandleTable(2);
    const opening = new Deferred<OpenObject>();
    const first = table.add(() => opening.promise);
    const second = await table.add(async () => file());
    let opened = 0;
    const open = async () => {
      opened++;
      return file();
    };
    expect(() => table.add(open)).toThrow(full);
    opening.resolve(file());
    await first;
    expect(() => table.add(open)).toThrow(full);
    expect(opened).toBe(0);
    const leaving = table.take(second);
    expect(() => table.add(open)).toThrow(full);
    await table.close(leaving);
    await table.add(open);
    expect(opened).toBe(1);
  });

  it("gives a place up when opening fails", async () => {
    const table = new HandleTable(1);
    const failure = new Error("no");
    const fail = () => {
      throw failure;
    };
    expect(() => table.add(fail)).toThrow(failure);
    await expect(table.add(() => Promise.reject(failure))).rejects.toBe(failure);
    await table.add(async () => file());
  });

  it("gives out all that is open, once", async () => {
    const table = new HandleTable(10);
    const handle = await table.add(async () => file());
    await table.add(async () => directory());
    table.take(await table.add(async () => file("leaving")));
    await table.close(table.take(await table.add(async () => file("closed"))));
    expect(table.takeAll(GONE)).toHaveLength(3);
    expect(table.takeAll(GONE)).toEqual([]);
    expect(() => table.get(handle)).toThrow(refused);
  });

  it("closes what is opened after the end", async () => {
    const table = new HandleTable(10);
    const opening = new Deferred<OpenObject>();
    const handle = table.add(() => opening.promise);
    table.takeAll(GONE);
    const outcomes: FileOutcome[] = [];
    opening.resolve(file("late", { close: (outcome) => void outcomes.push(outcome) }));
    await expect(handle).rejects.toThrow(refused);
    expect(outcomes).toEqual([GONE]);
    expect(table.takeAll(GONE)).toEqual([]);
  });
});
