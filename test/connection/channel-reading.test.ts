import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/connection/channel.js";
import { portOf } from "../../src/connection/channel.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { inputOf, openTestChannel, settled } from "./test-channel.js";

/** A message's data as the transport hands it over: a view of a larger chunk. */
function dataInChunk(data: string | Uint8Array, chunkLength: number): Buffer {
  const chunk = Buffer.allocUnsafeSlow(chunkLength);
  const bytes = Buffer.from(data);
  bytes.copy(chunk, 10);
  return chunk.subarray(10, 10 + bytes.length);
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function listen(channel: Channel): Promise<Buffer> {
  const pieces: Buffer[] = [];
  channel.on("data", (piece) => pieces.push(piece));
  await once(channel, "end");
  return Buffer.concat(pieces);
}

describe("a channel's input", () => {
  it("can be read by iteration, to its EOF", async () => {
    const { channel } = openTestChannel();
    const reading = readAll(channel);
    inputOf(channel).receiveData(Buffer.from("one "));
    await settled();
    inputOf(channel).receiveData(Buffer.from("two"));
    inputOf(channel).receiveEof();
    expect((await reading).toString()).toBe("one two");
  });

  it("goes to a taker in the place of the only listener, in order, as long as the channel flows", () => {
    const { channel } = openTestChannel();
    const order: string[] = [];
    channel.on("data", (piece) => order.push(`listener: ${piece}`));
    inputOf(channel).takeDirectly((piece) => order.push(`taker: ${piece}`));
    const receive = (data: string) => inputOf(channel).receiveData(Buffer.from(data));
    receive("one");
    channel.pause();
    receive("two");
    channel.resume();
    receive("three");
    expect(order).toEqual(["taker: one"]);
    while (channel.readableLength > 0) channel.read();
    receive("four");
    const other = () => order.push("other");
    channel.on("data", other);
    receive("five");
    channel.off("data", other);
    channel.setEncoding("hex");
    receive("six");
    expect(order).toEqual([
      "taker: one",
      "listener: two",
      "listener: three",
      "taker: four",
      "listener: five",
      "other",
      "listener: 736978",
    ]);
  });

  it("that a taker gets is consumed: the window is given back", () => {
    const { channel, link } = openTestChannel();
    channel.on("data", () => {});
    inputOf(channel).takeDirectly(() => {});
    for (let block = 0; block < 32; block++) inputOf(channel).receiveData(Buffer.alloc(32 * 1024));
    expect(link.granted).toBe(1024 * 1024);
  });

  it("can be read by iteration without an end to the output", async () => {
    const { channel, link } = openTestChannel();
    const reading = (async () => {
      for await (const piece of channel) channel.write(piece);
      channel.send("done");
    })();
    inputOf(channel).receiveData(Buffer.from("echo "));
    inputOf(channel).receiveEof();
    await settled();
    expect(link.received).toEqual(["data echo ", "data done"]);
    channel.close();
    portOf(channel).receiveClose();
    await reading;
  });

  it("can be read by a pipe into something slow, whose end does not end the output", async () => {
    const { channel, link } = openTestChannel();
    const pieces: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (piece, _encoding, callback) => {
        pieces.push(piece);
        setImmediate(callback);
      },
    });
    const piping = pipeline(channel, slow);
    const sent = randomBytes(200_000);
    for (let offset = 0; offset < sent.length; offset += 500) {
      inputOf(channel).receiveData(dataInChunk(sent.subarray(offset, offset + 500), 1000));
    }
    inputOf(channel).receiveEof();
    await piping;
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
    expect(channel.destroyed).toBe(false);
    channel.send("still here");
    expect(link.received).toEqual(["data still here"]);
  });

  it("can be a text", async () => {
    const { channel } = openTestChannel();
    channel.setEncoding("utf8");
    const pieces: string[] = [];
    channel.on("data", (piece) => pieces.push(piece));
    const bytes = Buffer.from("añb€c𝄞d");
    for (const byte of bytes) inputOf(channel).receiveData(Buffer.of(byte));
    inputOf(channel).receiveEof();
    await settled();
    expect(pieces.join("")).toBe("añb€c𝄞d");
  });

  it("can be paused and resumed anywhere", async () => {
    const { channel } = openTestChannel();
    const pieces: Buffer[] = [];
    let ended = false;
    channel.on("end", () => {
      ended = true;
    });
    channel.on("data", (piece) => {
      pieces.push(piece);
      channel.pause();
    });
    const sent = Buffer.from("0123456789".repeat(20));
    for (const byte of sent) inputOf(channel).receiveData(Buffer.of(byte));
    inputOf(channel).receiveEof();
    for (let round = 0; round < 300 && !ended; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      channel.resume();
    }
    expect(ended).toBe(true);
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  });

  it("can be read in exact amounts, though it came in crumbs before anybody read", async () => {
    const { channel } = openTestChannel();
    for (const byte of Buffer.from("0123456789")) inputOf(channel).receiveData(Buffer.of(byte));
    await settled();
    expect(channel.read(4)?.toString()).toBe("0123");
    expect(channel.read(100)).toBe(null);
    expect(channel.read(6)?.toString()).toBe("456789");
    expect(channel.read(1)).toBe(null);
  });

  it("is announced as readable until all of it was read", async () => {
    const { channel } = openTestChannel();
    const pieces: (string | Buffer | null)[] = [];
    channel.on("readable", () => pieces.push(channel.read()));
    for (const byte of Buffer.from("0123456789")) inputOf(channel).receiveData(Buffer.of(byte));
    await settled();
    expect(pieces.filter((piece) => piece !== null).join("")).toBe("0123456789");
  });

  it("is announced to a reader that waits for more than there is", async () => {
    const { channel } = openTestChannel();
    const messages: string[] = [];
    channel.on("readable", () => {
      for (let piece = channel.read(4); piece !== null; piece = channel.read(4)) messages.push(String(piece));
    });
    for (const byte of Buffer.from("0123456789ab")) {
      inputOf(channel).receiveData(Buffer.of(byte));
      await settled();
    }
    expect(messages).toEqual(["0123", "4567", "89ab"]);
  });

  it("is announced to a reader that waits for more text than there is", async () => {
    const { channel } = openTestChannel();
    channel.setEncoding("hex");
    const messages: string[] = [];
    channel.on("readable", () => {
      for (let piece = channel.read(8); piece !== null; piece = channel.read(8)) messages.push(String(piece));
    });
    for (let byte = 0; byte < 8; byte++) inputOf(channel).receiveData(Buffer.of(byte));
    await settled();
    expect(messages).toEqual(["00010203", "04050607"]);
  });

  it("comes out as it went in, however it is cut and read", async () => {
    const amount = fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined });
    const step = fc.oneof(
      fc.record({ length: fc.oneof(fc.nat(20), fc.nat(5000)), chunk: fc.nat(20_000) }),
      fc.record({ read: amount }),
      fc.constant("wait" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { channel } = openTestChannel();
        let sent = 0;
        const taken: Buffer[] = [];
        for (const next of steps) {
          if (next === "wait") {
            await new Promise((resolve) => setImmediate(resolve));
          } else if ("read" in next) {
            const piece = channel.read(next.read);
            if (piece !== null) taken.push(Buffer.from(piece));
            const left = sent - Buffer.concat(taken).length;
            if (piece === null) expect(left).toBeLessThan(next.read ?? 1);
          } else {
            const data = Buffer.from(Array.from({ length: next.length }, () => sent++ % 251));
            inputOf(channel).receiveData(dataInChunk(data, Math.max(next.chunk, next.length + 10)));
          }
        }
        inputOf(channel).receiveEof();
        taken.push(await readAll(channel));
        const expected = Buffer.from(Array.from({ length: sent }, (_, index) => index % 251));
        expect(Buffer.concat(taken).equals(expected)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a channel's input window", () => {
  const { size } = inputOf(openTestChannel().channel).window;
  const fill = (channel: Channel, bytes: number) => {
    for (let left = bytes; left > 0; left -= 32 * 1024)
      inputOf(channel).receiveData(Buffer.alloc(Math.min(left, 32 * 1024)));
  };

  it("is given back only as somebody reads", async () => {
    const { channel, link } = openTestChannel();
    fill(channel, size);
    await settled();
    expect(link.granted).toBe(0);
    channel.read(size / 2);
    expect(link.granted).toBe(size / 2);
    channel.resume();
    await settled();
    expect(link.granted).toBe(size);
  });

  it("is given back at once for what is read at once", async () => {
    const { channel, link } = openTestChannel();
    channel.on("data", () => {});
    await settled();
    fill(channel, 4 * size);
    expect(link.granted).toBeGreaterThanOrEqual(3 * size);
  });

  it("is given back for extended data, which nobody reads", () => {
    const { channel, link } = openTestChannel();
    for (let sent = 0; sent < 2 * size; sent += 32 * 1024)
      inputOf(channel).receiveExtendedData(Buffer.alloc(32 * 1024));
    expect(link.granted).toBeGreaterThanOrEqual(size);
    expect(channel.readableLength).toBe(0);
  });

  it("is not given back after the client's EOF", async () => {
    const { channel, link } = openTestChannel();
    fill(channel, size);
    inputOf(channel).receiveEof();
    channel.resume();
    await settled();
    expect([link.granted, channel.readableEnded]).toEqual([0, true]);
  });

  it("can be small", async () => {
    const { channel, link } = openTestChannel({ maxWindowSize: 32 * 1024 });
    expect(inputOf(channel).window.size).toBe(32 * 1024);
    fill(channel, 32 * 1024);
    expect(() => inputOf(channel).receiveData(Buffer.alloc(1))).toThrow(ProtocolError);
    channel.resume();
    await settled();
    expect(link.granted).toBe(32 * 1024);
  });

  it("full of text that nobody reads stays bounded", () => {
    const { channel } = openTestChannel({ maxWindowSize: 512 * 1024 });
    channel.setEncoding("utf8");
    const text = Buffer.from("€".repeat(1000));
    let sent = 0;
    expect(() => {
      for (; sent < 10 * 1024 * 1024; sent += text.length) inputOf(channel).receiveData(text);
    }).toThrow(ProtocolError);
    expect(sent).toBeLessThanOrEqual(3 * 512 * 1024);
  });
});

describe("the end of a channel's input", () => {
  it("leaves crumbs that came before it to be read", async () => {
    const { channel } = openTestChannel();
    for (const byte of Buffer.from("crumbs")) inputOf(channel).receiveData(Buffer.of(byte));
    inputOf(channel).receiveEof();
    expect((await readAll(channel)).toString()).toBe("crumbs");
  });

  it.each<[string, (channel: Channel) => Promise<Buffer>]>([
    ["listens for data", listen],
    ["iterates", readAll],
    ["pipes", (channel) => readAll(channel.pipe(new PassThrough()))],
    ["makes a pipeline", (channel) => pipeline(channel, new PassThrough(), readAll)],
  ])("by CLOSE lets a reader that %s finish what came before it", async (_, read) => {
    const { channel, link } = openTestChannel();
    const reading = read(channel);
    for (const byte of Buffer.from("before the end")) inputOf(channel).receiveData(Buffer.of(byte));
    portOf(channel).receiveClose();
    expect(channel.destroyed).toBe(false);
    expect((await reading).toString()).toBe("before the end");
    await settled();
    expect([channel.destroyed, link.closings]).toEqual([true, 1]);
  });

  it("by CLOSE lets a reader that calls read() go on later", async () => {
    const { channel, link } = openTestChannel();
    inputOf(channel).receiveData(Buffer.from("before the end"));
    let text = String(channel.read(6));
    portOf(channel).receiveClose();
    await settled();
    for (let piece = channel.read(); piece !== null; piece = channel.read()) text += piece;
    expect(text).toBe("before the end");
    await settled();
    expect([channel.closed, channel.readableEnded, link.closings]).toEqual([true, true, 1]);
  });

  it.each([
    ["nobody has read", 0],
    ["all was read", 4],
  ])("by CLOSE closes a channel of which %s", async (_, length) => {
    const { channel } = openTestChannel();
    inputOf(channel).receiveData(Buffer.from("data"));
    channel.read(length);
    portOf(channel).receiveClose();
    await settled();
    expect(channel.closed).toBe(true);
  });

  it("by CLOSE lets a paused reader finish later", async () => {
    const { channel } = openTestChannel();
    channel.pause();
    inputOf(channel).receiveData(Buffer.from("late"));
    portOf(channel).receiveClose();
    await settled();
    expect((await readAll(channel)).toString()).toBe("late");
  });

  it("with the connection fails a reader that is in the middle", async () => {
    const { channel } = openTestChannel();
    const reading = readAll(channel);
    inputOf(channel).receiveData(Buffer.from("half"));
    await settled();
    portOf(channel).connectionClosed();
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }));
  });
});
