import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/connection/channel.js";
import { memoryInUse } from "../attack/memory.js";
import { extent } from "../support/extent.js";
import { inputOf, openTestChannel } from "./test-channel.js";

const WINDOW = 2 * 1024 * 1024;

/** Messages with data as the transport hands them over: views of the chunks that came from the socket. */
function* messages(dataLength: number, chunkLengths: readonly number[], perChunk: number): Generator<Buffer> {
  for (let index = 0; ; index++) {
    const chunk = Buffer.allocUnsafeSlow(chunkLengths[index % chunkLengths.length] ?? 0).fill(1);
    for (let offset = 0; offset < perChunk; offset++)
      yield chunk.subarray(offset * dataLength, (offset + 1) * dataLength);
  }
}

describe("a window full of data that nobody reads", () => {
  // What the first measurement finds besides is not the channels'.
  memoryInUse();

  it.each<[what: string, dataLength: number, chunkLengths: readonly number[], perChunk: number]>([
    ["single bytes, each in a chunk of its own", 1, [extent(64, 1024)], 1],
    ["single bytes in shared chunks", 1, [64 * 1024], 1000],
    ["packets of 100 bytes", 100, [64 * 1024], 1],
    ["packets of 1 KiB, alone in a chunk", 1024, [1100], 1],
    ["packets of 1,200 bytes in large chunks", 1200, [64 * 1024], 1],
    ["packets of 16 KiB in large chunks", 16 * 1024, [64 * 1024], 1],
    ["full packets, every other put together from two chunks", 32 * 1024, [64 * 1024, 36 * 1024], 1],
  ])("costs less than twice its size: %s", (_, dataLength, chunkLengths, perChunk) => {
    const { channel } = openTestChannel({ maxWindowSize: WINDOW });
    const before = memoryInUse();
    let sent = 0;
    for (const data of messages(dataLength, chunkLengths, perChunk)) {
      if (sent + dataLength > WINDOW) break;
      inputOf(channel).receiveData(data);
      sent += dataLength;
    }
    const used = memoryInUse() - before;
    expect(used).toBeGreaterThan(0.8 * WINDOW);
    expect(used).toBeLessThan(2 * WINDOW);
    let read = 0;
    for (let piece = channel.read(); piece !== null; piece = channel.read()) read += piece.length;
    expect(read).toBe(sent);
  });
});

/** Sends single bytes, each in a chunk of its own and a turn of the event loop of its own. */
async function sendCrumbs(channel: Channel, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    inputOf(channel).receiveData(Buffer.alloc(64 * 1024).subarray(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("crumbs that come one by one", () => {
  it("keep no chunks for a reader that pauses", async () => {
    const { channel } = openTestChannel();
    channel.on("data", () => {});
    channel.pause();
    const before = memoryInUse();
    await sendCrumbs(channel, 500);
    expect(memoryInUse() - before).toBeLessThan(500 * 1024);
    expect(channel.destroyed).toBe(false);
  });

  it("keep no chunks for a reader that waits for more", async () => {
    const { channel } = openTestChannel();
    const read: unknown[] = [];
    channel.on("readable", () => read.push(channel.read(501)));
    const before = memoryInUse();
    await sendCrumbs(channel, 500);
    expect(memoryInUse() - before).toBeLessThan(500 * 1024);
    await sendCrumbs(channel, 1);
    expect(read.filter((piece) => piece !== null)).toEqual([Buffer.alloc(501)]);
  });
});
