import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectForDirectReads, directReadsOf, readDirectly } from "../../src/endpoint/direct-reads.js";
import { join } from "../../src/index.js";
import { inputOf, openTestChannel, outputOf } from "../connection/test-channel.js";

const MEBIBYTE = 1024 * 1024;

/** A socket that was connected for direct reads, and its peer. */
async function directPair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const near = connectForDirectReads({ host: "127.0.0.1", port, allowHalfOpen: true });
  const [[far]] = await Promise.all([once(server, "connection"), once(near, "connect")]);
  server.close();
  return { near, far };
}

/** Takes what a socket reads, which it does from now on. */
function takeFrom(near: Socket): { readonly taken: string[]; readonly heard: string[] } {
  const [taken, heard]: [string[], string[]] = [[], []];
  const reads = directReadsOf(near);
  if (reads === undefined) throw new Error("unreachable");
  reads.take = (bytes) => {
    taken.push(bytes.toString("latin1"));
    return true;
  };
  near.on("data", (chunk) => heard.push(String(chunk)));
  return { taken, heard };
}

const openChannel = (windowSize?: number) =>
  openTestChannel({ kind: "direct-tcpip", ...(windowSize === undefined ? {} : { windowSize }) });

/** The data that the client of a channel got. */
const dataOf = (received: readonly string[]) =>
  received.map((message) => (message.startsWith("data ") ? message.slice("data ".length) : "")).join("");

describe("a socket that was connected for direct reads", () => {
  it("gives a listener all that its peer sends, and the end, as any other", async () => {
    const { near, far } = await directPair();
    const data = randomBytes(3 * MEBIBYTE);
    far.end(data);
    expect((await buffer(near)).equals(data)).toBe(true);
    near.destroy();
  });

  it("keeps what it has read until somebody listens, and then reads no more than a stream holds", async () => {
    const { near, far } = await directPair();
    far.write(randomBytes(8 * MEBIBYTE));
    far.end("end");
    await vi.waitFor(() => expect(near.readableLength).toBeGreaterThanOrEqual(near.readableHighWaterMark));
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(near.readableLength).toBeLessThan(MEBIBYTE);
    const data = await buffer(near);
    expect([data.length, data.subarray(-3).toString()]).toEqual([8 * MEBIBYTE + 3, "end"]);
    near.destroy();
  });

  it("does not flow by itself, however much a stream may hold", async () => {
    const before = getDefaultHighWaterMark(false);
    setDefaultHighWaterMark(false, 4 * MEBIBYTE);
    onTestFinished(() => setDefaultHighWaterMark(false, before));
    const { near, far } = await directPair();
    const data = randomBytes(2 * MEBIBYTE);
    far.end(data);
    await vi.waitFor(() => expect(near.bytesRead).toBe(data.length));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect([near.readableFlowing, near.readableLength]).toEqual([null, data.length]);
    expect((await buffer(near)).equals(data)).toBe(true);
    near.destroy();
  });

  it("may have an encoding, be paused, and be piped", async () => {
    const { near, far } = await directPair();
    near.setEncoding("hex");
    near.pause();
    far.end("text");
    expect(await text(near)).toBe("74657874");
    near.destroy();
  });

  it("gives each piece, in its own memory, to those who take it directly", async () => {
    const { near, far } = await directPair();
    const { taken, heard } = takeFrom(near);
    far.write("one");
    await vi.waitFor(() => expect(taken).toEqual(["one"]));
    far.end("two");
    await once(near, "end");
    expect([taken, heard]).toEqual([["one", "two"], []]);
    near.destroy();
  });

  it.each<[what: string, prepare: (near: Socket) => void, taken: string]>([
    ["while another one listens", (near) => near.on("data", () => {}), "more"],
    ["where the stream has an encoding", (near) => near.setEncoding("latin1"), "more"],
  ])("gives nothing directly %s", async (_, prepare, expected) => {
    const { near, far } = await directPair();
    const { taken, heard } = takeFrom(near);
    near.pause();
    prepare(near);
    far.end("more");
    near.resume();
    await once(near, "end");
    expect([taken, heard.join("")]).toEqual([[], expected]);
    near.destroy();
  });

  it("gives what it has held back first", async () => {
    const { near, far } = await directPair();
    near.unshift("held, ");
    const { channel, link } = openChannel();
    const joined = join(near, channel);
    inputOf(channel).receiveEof();
    far.end("and on the way");
    await joined;
    expect(dataOf(link.received)).toBe("held, and on the way");
  });

  it("goes on when it is resumed, where the taker did not want more", async () => {
    const { near, far } = await directPair();
    const reads = directReadsOf(near);
    if (reads === undefined) throw new Error("unreachable");
    let bytes = 0;
    reads.take = ({ length }) => {
      bytes += length;
      setImmediate(() => near.resume());
      return false;
    };
    near.on("data", () => expect.unreachable());
    far.end(randomBytes(MEBIBYTE));
    await once(near, "end");
    expect(bytes).toBe(MEBIBYTE);
    near.destroy();
  });
});

describe("the output of a child", () => {
  it("is read directly by the reader that takes it, to the end, and no more of it by Node.js", async () => {
    const child = spawn("seq", ["1", "100000"], { stdio: ["ignore", "pipe", "ignore"] });
    if (!(child.stdout instanceof Socket)) throw new Error("unreachable");
    const output = child.stdout;
    readDirectly(output);
    const { taken, heard } = takeFrom(output);
    await Promise.all([once(output, "close"), once(child, "close")]);
    const numbers = taken.join("").split("\n");
    expect([numbers.length, numbers[0], numbers.at(-2), heard]).toEqual([100_001, "1", "100000", []]);
    expect([output.destroyed, output.bytesRead]).toEqual([true, taken.join("").length]);
  });

  it("stays as it is where somebody has read of it, or it has another kind of handle", async () => {
    const child = spawn("echo", ["text"], { stdio: ["ignore", "pipe", "ignore"] });
    if (!(child.stdout instanceof Socket)) throw new Error("unreachable");
    await once(child.stdout, "readable");
    readDirectly(child.stdout);
    expect(directReadsOf(child.stdout)).toBeUndefined();
    expect(await text(child.stdout)).toBe("text\n");
    const unconnected = new Socket();
    readDirectly(unconnected);
    expect(directReadsOf(unconnected)).toBeUndefined();
  });
});

describe("sockets that are joined to channels, and read into memory that is used again", () => {
  it("mix nothing up, be a client slow or fast, and one opened after another", async () => {
    const transfer = async (windowSize: number) => {
      const [{ near, far }, { channel, link }] = [await directPair(), openChannel(windowSize)];
      const joined = join(near, channel);
      inputOf(channel).receiveEof();
      const data = randomBytes(MEBIBYTE / 2).toString("hex");
      // What waits for the window must not become what is read next.
      for (let offset = 0; offset < 100_000; offset += 10_000) {
        far.write(data.slice(offset, offset + 10_000));
        await nextTurn();
      }
      far.end(data.slice(100_000));
      while (dataOf(link.received).length < data.length) {
        await nextTurn();
        if (windowSize < data.length) outputOf(channel).adjustWindow(50_000);
      }
      expect(await joined).toEqual({ bytesFromFirst: data.length, bytesFromSecond: 0, cause: "ended" });
      expect(dataOf(link.received) === data).toBe(true);
    };
    await Promise.all([1000, MEBIBYTE, 1000, MEBIBYTE].map(transfer));
    await Promise.all([1000, 1000, MEBIBYTE].map(transfer));
  });

  it("are not read while a client takes nothing", async () => {
    const [{ near, far }, { channel, link }] = [await directPair(), openChannel(1000)];
    const abort = new AbortController();
    const joined = join(near, channel, { signal: abort.signal });
    far.on("error", () => {});
    far.write(randomBytes(8 * MEBIBYTE));
    await vi.waitFor(() => expect(near.isPaused()).toBe(true));
    expect(dataOf(link.received)).toHaveLength(1000);
    expect(channel.writableLength).toBeLessThan(MEBIBYTE);
    abort.abort();
    const { bytesFromFirst } = await joined;
    expect(bytesFromFirst).toBeLessThan(MEBIBYTE);
  });

  it("are not read for long while others wait", async () => {
    const [{ near, far }, { channel }] = [await directPair(), openChannel(64 * MEBIBYTE)];
    near.pause();
    far.end(randomBytes(4 * MEBIBYTE));
    const joined = join(near, channel);
    inputOf(channel).receiveEof();
    const read: number[] = [];
    while (!near.readableEnded) {
      const before = near.bytesRead;
      await nextTurn();
      read.push(near.bytesRead - before);
    }
    expect(Math.max(...read)).toBeLessThanOrEqual(512 * 1024);
    expect((await joined).bytesFromFirst).toBe(4 * MEBIBYTE);
  });
});
