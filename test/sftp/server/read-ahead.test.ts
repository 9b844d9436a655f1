import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MaybePromise } from "../../../src/base/maybe-promise.js";
import type { FileHandle } from "../../../src/files/file-system.js";
import { FileTransfer } from "../../../src/files/file-transfer.js";
import { takePacketBuffer } from "../../../src/sftp/codec/packet-buffers.js";
import { DATA_HEAD_LENGTH } from "../../../src/sftp/codec/replies.js";
import type { OpenFile } from "../../../src/sftp/server/handle-table.js";
import { ReadAhead, type ReadData } from "../../../src/sftp/server/read-ahead.js";

const LENGTH = 4;
/** Bytes of each buffer of the pool that such a block takes. */
const BUFFER = 34 * 1024;

/** A read of the file, which the test ends. */
interface Asked {
  readonly buffer: Buffer;
  readonly position: number;
  /** Fills the buffer, or `count` bytes of it, with `text`, repeated. */
  done(text: string, count?: number): Promise<void>;
  fail(): Promise<void>;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function openFile(handle: FileHandle): OpenFile {
  const options = { read: true, write: true, append: false, create: false, truncate: false, exclusive: false };
  const opened = { path: "/file", handle };
  const transfer = new FileTransfer(opened, options);
  return { kind: "file", ...opened, options, transfer, identity: "file" };
}

function setUp() {
  const asked: Asked[] = [];
  const read = (buffer: Buffer, position: number) =>
    new Promise<number>((resolve, reject) => {
      asked.push({
        buffer,
        position,
        async done(text, count = buffer.length) {
          buffer.fill(text, 0, count);
          resolve(count);
          await settled();
        },
        async fail() {
          reject(new Error("the disk is gone"));
          await settled();
        },
      });
    });
  const allowed = { value: true };
  const readAhead = new ReadAhead(() => allowed.value);
  const file = openFile({ read });
  const test = {
    asked,
    allowed,
    readAhead,
    file,
    positions: () => asked.map(({ position }) => position),
    /** The reads that were asked for since the last call, by their positions. */
    next(): Asked[] {
      return asked.splice(0);
    },
    async data(position: number, length = LENGTH): Promise<string> {
      const { buffer, count } = await readAhead.read(file, position, length);
      return buffer.toString("latin1", DATA_HEAD_LENGTH, DATA_HEAD_LENGTH + count);
    },
    /** Reads a block that is not there yet. */
    async readSlowly(position: number, text: string, length = LENGTH): Promise<void> {
      const data = test.data(position, length);
      await settled();
      const own = asked.find((one) => one.position === position) ?? expect.fail(`nothing was read at ${position}`);
      asked.splice(asked.indexOf(own), 1);
      await own.done(text);
      expect(await data).toBe(text.repeat(length));
    },
    /** Reads the first blocks, until the one behind them is read ahead. */
    async begin(length = LENGTH): Promise<void> {
      for (const [index, text] of ["a", "b", "c"].entries()) await test.readSlowly(index * length, text, length);
    },
  };
  return test;
}

const at = (asked: readonly Asked[]) => asked.map(({ position }) => position);

describe("ReadAhead", () => {
  it("begins behind three slow reads in sequence, and gives what it has read, once", async () => {
    const { readSlowly, positions, asked, next, data, readAhead } = setUp();
    await readSlowly(0, "a");
    await readSlowly(4, "b");
    expect(positions()).toEqual([]);
    await readSlowly(8, "c");
    expect(positions()).toEqual([12]);
    expect(readAhead.memory).toBe(BUFFER);
    await next()[0]?.done("d");
    expect(await data(12)).toBe("dddd");
    expect(positions()).toEqual([16]);
    expect(readAhead.memory).toBe(BUFFER);
    await next()[0]?.done("e");
    const again = data(12);
    expect(readAhead.memory).toBe(0);
    await asked[0]?.done("D");
    expect(await again).toBe("DDDD");
  });

  it("reads further ahead each time that the client had to wait, up to eight blocks", async () => {
    const { begin, data, next, readAhead } = setUp();
    await begin();
    const [first] = next();
    const underWay = [first ?? expect.fail()];
    for (const [position, expected] of [
      [12, [16, 20]],
      [16, [24, 28, 32]],
      [20, [36, 40, 44, 48, 52]],
      [24, [56]],
      [28, [60]],
    ] as const) {
      const waiting = data(position);
      const begun = next();
      expect(at(begun)).toEqual(expected);
      underWay.push(...begun);
      await underWay.shift()?.done("x");
      expect(await waiting).toBe("xxxx");
    }
    expect(readAhead.memory).toBe(8 * BUFFER);
  });

  it("keeps no more than it needs where the client does not have to wait", async () => {
    const { begin, data, next } = setUp();
    await begin();
    for (let position = 12; position < 100; position += 4) {
      const begun = next();
      expect(at(begun)).toEqual([position]);
      await begun[0]?.done("x");
      expect(await data(position)).toBe("xxxx");
    }
  });

  it("takes a mebibyte at most", async () => {
    const length = 255 * 1024;
    const { begin, data, next, readAhead } = setUp();
    await begin(length);
    const underWay = next();
    for (let index = 3; index < 10; index++) {
      const waiting = data(index * length, length);
      underWay.push(...next());
      expect(underWay).toHaveLength(Math.min(index, 4));
      expect(readAhead.memory).toBeLessThanOrEqual(1024 * 1024);
      await underWay.shift()?.done("x");
      expect(await waiting).toHaveLength(length);
    }
    expect(readAhead.memory).toBeGreaterThan(3 * length);
  });

  it("never begins where the file system answers at once", async () => {
    let reads = 0;
    const read = (buffer: Buffer) => {
      reads++;
      return buffer.length;
    };
    const readAhead = new ReadAhead(() => true);
    const file = openFile({ read });
    for (let position = 0; position < 100; position += LENGTH) {
      expect(readAhead.read(file, position, LENGTH)).toMatchObject({ count: LENGTH });
    }
    expect(reads).toBe(25);
    expect(readAhead.memory).toBe(0);
  });

  it("ends where the file system begins to answer at once", async () => {
    let isQuick = false;
    const positions: number[] = [];
    const read = (buffer: Buffer, position: number) => {
      positions.push(position);
      return isQuick ? buffer.length : Promise.resolve(buffer.length);
    };
    const readAhead = new ReadAhead(() => true);
    const file = openFile({ read });
    for (const position of [0, 4]) await readAhead.read(file, position, LENGTH);
    const third = readAhead.read(file, 8, LENGTH);
    isQuick = true;
    await third;
    for (const position of [12, 16, 20]) {
      expect(readAhead.read(file, position, LENGTH)).toMatchObject({ count: LENGTH });
    }
    expect(positions).toEqual([0, 4, 8, 12, 16, 20]);
  });

  it("begins only where it may", async () => {
    const { allowed, begin, readSlowly, positions } = setUp();
    allowed.value = false;
    await begin();
    await readSlowly(12, "d");
    expect(positions()).toEqual([]);
    allowed.value = true;
    await readSlowly(16, "e");
    expect(positions()).toEqual([20]);
  });

  it("is not for clients that ask for more before they are answered", async () => {
    const { data, next, positions } = setUp();
    for (let position = 0; position < 80; position += 8) {
      const both = [data(position), data(position + 4)];
      await settled();
      expect(positions()).toEqual([position, position + 4]);
      for (const asked of next()) await asked.done("x");
      expect(await Promise.all(both)).toEqual(["xxxx", "xxxx"]);
    }
  });

  it("gives what is there to a client that begins to ask for more at a time", async () => {
    const { begin, data, next, positions } = setUp();
    await begin();
    const [first] = next();
    const one = data(12);
    const [second, third] = next();
    const others = [data(16), data(20)];
    expect(positions()).toEqual([]);
    await third?.done("f");
    await second?.done("e");
    await first?.done("d");
    expect([await one, ...(await Promise.all(others))]).toEqual(["dddd", "eeee", "ffff"]);
  });

  it.each<[what: string, position: number, length: number]>([
    ["another place", 4, 4],
    ["a place further on", 16, 4],
    ["more", 12, 5],
    ["less", 12, 3],
  ])("drops all when the client asks for %s", async (_, position, length) => {
    const { begin, data, next, readAhead, asked } = setUp();
    await begin();
    await next()[0]?.done("d");
    const read = data(position, length);
    expect(readAhead.memory).toBe(0);
    await asked[0]?.done("x");
    expect(await read).toBe("x".repeat(length));
    expect(asked).toHaveLength(1);
  });

  it("drops all when the client reads another file", async () => {
    const { begin, next, data, readAhead, file, asked } = setUp();
    await begin();
    await next()[0]?.done("d");
    const other = readAhead.read({ ...file }, 12, LENGTH);
    expect(readAhead.memory).toBe(0);
    await next()[0]?.done("o");
    expect((await other).buffer.toString("latin1", DATA_HEAD_LENGTH, DATA_HEAD_LENGTH + LENGTH)).toBe("oooo");
    const read = data(12);
    await asked[0]?.done("x");
    expect(await read).toBe("xxxx");
  });

  it("gives nothing that it was told to drop, nor a buffer back to the pool before its read has ended", async () => {
    const { begin, next, data, readAhead, file, asked } = setUp();
    await begin();
    const [ahead] = next();
    readAhead.drop();
    expect(readAhead.memory).toBe(BUFFER);
    const idle = readAhead.idle(file);
    let isIdle = false;
    void Promise.resolve(idle).then(() => {
      isIdle = true;
    });
    const read = data(12);
    await settled();
    expect(isIdle).toBe(false);
    const others = Array.from({ length: 200 }, () => takePacketBuffer(LENGTH));
    expect(others.some(({ buffer }) => buffer === ahead?.buffer.buffer)).toBe(false);
    await ahead?.done("old");
    expect(isIdle).toBe(true);
    expect(takePacketBuffer(LENGTH).buffer).toBe(ahead?.buffer.buffer);
    expect(readAhead.memory).toBe(0);
    expect(readAhead.idle(file)).toBeUndefined();
    await asked[0]?.done("n");
    expect(await read).toBe("nnnn");
  });

  it("counts what was dropped until its read has ended", async () => {
    const { readAhead, readSlowly, asked } = setUp();
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 3; index++) await readSlowly(1000 * round + index * LENGTH, "x");
      readAhead.drop();
      expect(asked).toHaveLength(Math.min(round + 1, 8));
      expect(readAhead.memory).toBe(asked.length * BUFFER);
    }
  });

  it("never gives a short block from memory, nor the end of the file", async () => {
    const { begin, next, data, positions, readAhead, readSlowly } = setUp();
    await begin();
    const [first] = next();
    const fourth = data(12);
    const [short, end] = next();
    await first?.done("d");
    expect(await fourth).toBe("dddd");
    await end?.done("", 0);
    await short?.done("e", 2);
    expect(readAhead.memory).toBe(0);
    expect(positions()).toEqual([]);
    // Meanwhile the file has grown.
    await readSlowly(16, "E");
    await readSlowly(20, "F");
  });

  it("reads a block anew that came out short while the client waited for it", async () => {
    const { begin, next, data, positions, readAhead } = setUp();
    await begin();
    const [short] = next();
    const read = data(12);
    const behind = next();
    await short?.done("d", 1);
    expect(positions()).toEqual([12]);
    await next()[0]?.done("D", 3);
    expect(await read).toBe("DDD");
    for (const asked of behind) await asked.done("x");
    expect(readAhead.memory).toBe(0);
  });

  it("shows what is added to a file whose end the client watches", async () => {
    let content = "0123456789ab";
    const readAhead = new ReadAhead(() => true);
    const file = openFile({
      read: async (buffer, position) => buffer.write(content.slice(position), "latin1"),
    });
    let seen = "";
    for (let round = 0; round < 40; round++) {
      const { buffer, count } = await readAhead.read(file, seen.length, LENGTH);
      seen += buffer.toString("latin1", DATA_HEAD_LENGTH, DATA_HEAD_LENGTH + count);
      if (count === 0) {
        expect(seen).toBe(content);
        content += "more of it".slice(0, 1 + (round % 10));
      }
    }
    expect(content.length).toBeGreaterThan(60);
  });

  it("reads a block anew whose read has failed, and tells the client only of what fails then", async () => {
    const { begin, next, data, readAhead, asked } = setUp();
    await begin();
    await next()[0]?.fail();
    expect(readAhead.memory).toBe(0);
    const read = data(12);
    await asked[0]?.done("d");
    expect(await read).toBe("dddd");
    await next()[0]?.done("");
    const failing = data(16);
    await next()[0]?.fail();
    await expect(failing).rejects.toThrow("the disk is gone");
  });

  it("reads a block anew whose read fails while the client waits for it", async () => {
    const { begin, next, data } = setUp();
    await begin();
    const [ahead] = next();
    const read = data(12);
    const behind = next();
    await ahead?.fail();
    for (const asked of behind) await asked.fail();
    await next()[0]?.done("d");
    expect(await read).toBe("dddd");
  });

  it("bears a file system that throws, or says what cannot be", async () => {
    for (const wrong of [LENGTH + 1, -1, 0.5, Number.NaN]) {
      const positions: number[] = [];
      const readAhead = new ReadAhead(() => true);
      const read = (buffer: Buffer, position: number) => {
        positions.push(position);
        if (position === 12 && wrong < 0) throw new Error("no more");
        return Promise.resolve(position === 12 ? wrong : buffer.length);
      };
      const file = openFile({ read });
      for (const position of [0, 4, 8]) await readAhead.read(file, position, LENGTH);
      expect(positions).toEqual([0, 4, 8, 12]);
      await settled();
      expect(readAhead.memory).toBe(0);
      await expect((async () => readAhead.read(file, 12, LENGTH))()).rejects.toThrow();
    }
  });

  it("bears a file system that lets the next request in before it answers a call", async () => {
    const positions: number[] = [];
    const readAhead = new ReadAhead(() => true);
    let within: MaybePromise<ReadData> | undefined;
    const file = openFile({
      read: (buffer, position) => {
        const call = positions.push(position);
        if (call === 4) within = readAhead.read(file, 12, LENGTH);
        buffer.fill(call);
        return Promise.resolve(buffer.length);
      },
    });
    for (const position of [0, 4, 8]) await readAhead.read(file, position, LENGTH);
    const data = await within;
    expect(positions).toEqual([0, 4, 8, 12, 12]);
    expect(data?.buffer[DATA_HEAD_LENGTH]).toBe(5);
    await settled();
    expect(readAhead.memory).toBe(0);
  });

  it("reads nothing ahead for reads of no bytes, nor behind what a number holds", async () => {
    const { data, next, positions, readSlowly } = setUp();
    for (let round = 0; round < 5; round++) {
      const read = data(8, 0);
      await settled();
      await next()[0]?.done("", 0);
      expect(await read).toBe("");
      expect(positions()).toEqual([]);
    }
    const start = Number.MAX_SAFE_INTEGER - 4 * LENGTH;
    for (const index of [0, 1, 2]) await readSlowly(start + index * LENGTH, "x");
    expect(positions()).toEqual([start + 3 * LENGTH]);
    const waiting = data(start + 3 * LENGTH);
    expect(positions()).toEqual([start + 3 * LENGTH]);
    await next()[0]?.done("y");
    expect(await waiting).toBe("yyyy");
    expect(positions()).toEqual([]);
  });
});

describe("what ReadAhead holds", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is dropped when the client takes more than a second to ask", async () => {
    const { begin, next, readAhead, readSlowly } = setUp();
    await begin();
    await next()[0]?.done("d");
    vi.advanceTimersByTime(999);
    expect(readAhead.memory).toBe(BUFFER);
    vi.advanceTimersByTime(1);
    expect(readAhead.memory).toBe(0);
    await readSlowly(12, "D");
    expect(readAhead.memory).toBe(0);
  });

  it("is read anew where it is more than a second old, whatever was asked for meanwhile", async () => {
    const { begin, next, data, readAhead, readSlowly } = setUp();
    await begin();
    const [first] = next();
    const fourth = data(12);
    for (const read of next()) await read.done("o");
    await first?.done("d");
    expect(await fourth).toBe("dddd");
    vi.advanceTimersByTime(600);
    expect(await data(16)).toBe("oooo");
    vi.advanceTimersByTime(600);
    const old = data(20);
    // One was begun when the block before was given.
    const [dropped, anew] = next();
    expect([dropped?.position, anew?.position]).toEqual([24, 20]);
    await anew?.done("n");
    expect(await old).toBe("nnnn");
    await dropped?.done("o");
    expect(readAhead.memory).toBe(0);
    await readSlowly(24, "m");
  });

  it("stays while the client waits for the block before, however long", async () => {
    const { begin, next, data } = setUp();
    await begin();
    const [first] = next();
    const fourth = data(12);
    const [second] = next();
    vi.advanceTimersByTime(5000);
    await first?.done("d");
    await second?.done("e");
    expect(await fourth).toBe("dddd");
    expect(await data(16)).toBe("eeee");
  });
});
