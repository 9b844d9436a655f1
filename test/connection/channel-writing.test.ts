import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageNumber } from "../../src/protocol/constants.js";
import { openTestChannel, outputOf, settled } from "./test-channel.js";

describe("a channel's output", () => {
  it("goes out as it was written: bytes and texts, on both streams", async () => {
    const { channel, link } = openTestChannel();
    channel.write("text é");
    channel.send(Buffer.from("bytes"));
    channel.sendStderr("error");
    channel.stderr.write("shared");
    channel.send(new Uint8Array([0x21]));
    await settled();
    expect(link.received).toEqual(["data text \u00c3\u00a9", "data bytes", "stderr error", "stderr shared", "data !"]);
  });

  it("of any length fits through a small window and small packets", async () => {
    const { channel, link } = openTestChannel({ windowSize: 5, maximumPacketSize: 3 });
    channel.send("abcdefghij");
    await settled();
    expect(link.received).toEqual(["data abc", "data de"]);
    outputOf(channel).adjustWindow(100);
    await settled();
    expect(link.received.slice(2)).toEqual(["data fgh", "data ij"]);
  });

  it("of bytes that are lent goes out as they were, in order, although they are overwritten", async () => {
    const { channel, link } = openTestChannel({ windowSize: 100_000 });
    const lent = Buffer.alloc(70_000);
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(lent.length));
    for (const text of texts) {
      lent.write(text);
      outputOf(channel).writeLent(lent);
    }
    lent.fill("overwritten");
    channel.write("the end");
    for (let round = 0; round < texts.length; round++) {
      outputOf(channel).adjustWindow(lent.length);
      await settled();
    }
    const output = link.received.map((message) => message.slice("data ".length)).join("");
    expect(output === `${texts.join("")}the end`).toBe(true);
  });

  it("that is corked leaves in one packet, each other write at once", () => {
    const { channel, link } = openTestChannel();
    channel.write("a");
    channel.write("b");
    channel.cork();
    channel.write("c");
    channel.write("d");
    channel.uncork();
    expect(link.received).toEqual(["data a", "data b", "data cd"]);
  });

  it("in many small pieces leaves in few packets once it may", async () => {
    const { channel, link } = openTestChannel();
    const release = outputOf(channel).hold();
    for (let index = 0; index < 10_000; index++) channel.write("0123456789");
    release();
    await settled();
    expect(link.received.map((message) => message.length - "data ".length)).toEqual([32768, 32768, 32768, 1696]);
  });

  it("fills each packet, whatever is written and granted, and is read before its writers are told", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), length: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant("write from callback" as const), length: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant("stderr" as const), length: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ kind: fc.constant("adjust" as const), bytes: fc.nat(500) }),
      fc.record({ kind: fc.constant("congestion" as const), writable: fc.boolean() }),
      fc.record({ kind: fc.constant("turn" as const) }),
    );
    const setting = { windowSize: fc.nat(500), maximumPacketSize: fc.integer({ min: 1, max: 200 }) };
    await fc.assert(
      fc.asyncProperty(fc.record(setting), fc.array(step, { maxLength: 40 }), async (options, steps) => {
        const { channel, link } = openTestChannel(options);
        const { maximumPacketSize } = options;
        const output = { stream: channel, written: [] as Buffer[], sent: [] as Buffer[], waiting: 0 };
        const errors = { stream: channel.stderr, written: [] as Buffer[], sent: [] as Buffer[], waiting: 0 };
        let window = options.windowSize;
        let bytes = 0;
        link.sendData = (head, parts) => {
          const data = Buffer.concat(parts);
          const [type, other] = head[0] === MessageNumber.CHANNEL_DATA ? [output, errors] : [errors, output];
          const possible = Math.min(maximumPacketSize, window, type.waiting);
          // Between writes to one stream there may have been one to the other.
          if (other.waiting > 0) expect(data.length).toBeLessThanOrEqual(possible);
          else expect(data.length).toBe(possible);
          window -= data.length;
          type.waiting -= data.length;
          type.sent.push(data);
        };
        const write = (type: typeof output | typeof errors, length: number, then = () => {}) => {
          const data = Buffer.from(Array.from({ length }, () => bytes++ % 251));
          type.written.push(Buffer.from(data));
          type.waiting += length;
          type.stream.write(data, () => {
            data.fill(0xff);
            then();
          });
        };
        for (const next of steps) {
          if (next.kind === "write") write(output, next.length);
          else if (next.kind === "write from callback") write(output, 1, () => write(output, next.length));
          else if (next.kind === "stderr") write(errors, next.length);
          else if (next.kind === "congestion") link.writable = next.writable;
          else if (next.kind === "turn") await settled();
          else {
            window += next.bytes;
            outputOf(channel).adjustWindow(next.bytes);
          }
          expect(channel.writableLength).toBeGreaterThanOrEqual(output.waiting);
        }
        link.writable = true;
        window += 1_000_000;
        outputOf(channel).adjustWindow(1_000_000);
        await settled();
        for (const { stream, written, sent } of [output, errors]) {
          expect(stream.writableLength).toBe(0);
          expect(Buffer.concat(sent).equals(Buffer.concat(written))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("that its writer was told is sent precedes CLOSE, when the writer destroys the channel there", () => {
    const { channel, link } = openTestChannel({ windowSize: 4 });
    channel.write("first ", () => channel.destroy());
    channel.write("second");
    outputOf(channel).adjustWindow(10);
    expect(link.received).toEqual(["data firs", "data t ", "CLOSE"]);
  });

  it("tells a writer to wait, and when to go on", async () => {
    const { channel } = openTestChannel({ windowSize: 0 });
    const drained = new Promise((resolve) => channel.once("drain", resolve));
    let writes = 1;
    while (channel.write(Buffer.alloc(16 * 1024))) writes++;
    expect(writes).toBe(4);
    outputOf(channel).adjustWindow(64 * 1024);
    await drained;
    expect(channel.writableLength).toBe(0);
  });

  it("makes no writer wait for a client that keeps up", () => {
    const { channel, link } = openTestChannel({ windowSize: 2 ** 32 - 1 });
    let waits = 0;
    for (let index = 0; index < 100; index++) if (!channel.write(Buffer.alloc(1000))) waits++;
    expect(link.received).toHaveLength(100);
    expect(waits).toBe(0);
  });

  it("waits for the connection to take more", async () => {
    const { channel, link } = openTestChannel();
    link.writable = false;
    channel.send("later");
    await settled();
    expect(link.received).toEqual([]);
    link.writable = true;
    expect(link.received).toEqual(["data later"]);
  });

  it("keeps stderr that waits for window apart from output that waits too", async () => {
    const { channel, link } = openTestChannel({ windowSize: 4 });
    channel.send("out-1 ");
    channel.sendStderr("err-1 ");
    channel.send("out-2 ");
    channel.sendStderr("err-2 ");
    for (let bytes = 4; bytes < 24; bytes += 4) {
      await settled();
      outputOf(channel).adjustWindow(4);
    }
    await settled();
    const all = (stream: string) =>
      link.received
        .filter((message) => message.startsWith(`${stream} `))
        .map((message) => message.slice(stream.length + 1))
        .join("");
    expect(all("data")).toBe("out-1 out-2 ");
    expect(all("stderr")).toBe("err-1 err-2 ");
  });

  it("can come through a pipe, whose end is EOF and not the end of the channel", async () => {
    const { channel, link } = openTestChannel();
    await pipeline(Readable.from(["a", "b"]), channel);
    await settled();
    expect(link.received).toEqual(["data a", "data b", "EOF"]);
    expect(channel.destroyed).toBe(false);
    channel.sendExitStatus(3);
    channel.close();
    expect(link.received.slice(3)).toEqual(["exit-status 3", "CLOSE"]);
  });

  it("is held back until the reply to a request, whatever the hook does at once", async () => {
    const { channel, link } = openTestChannel();
    const release = outputOf(channel).hold();
    channel.send("Executed\n");
    channel.sendStderr("warning\n");
    channel.sendExitStatus(0);
    channel.close();
    await settled();
    expect(link.received).toEqual([]);
    outputOf(channel).reply("success");
    release();
    await settled();
    expect(link.received).toEqual(["success", "data Executed\n", "stderr warning\n", "exit-status 0", "EOF", "CLOSE"]);
  });

  it("is held back until the last of several replies", async () => {
    const { channel, link } = openTestChannel();
    const releases = [outputOf(channel).hold(), outputOf(channel).hold()];
    channel.send("x");
    releases[0]?.();
    expect(link.received).toEqual([]);
    releases[1]?.();
    expect(link.received).toEqual(["data x"]);
  });
});

describe("what follows a channel's output", () => {
  it("is the exit status, EOF and CLOSE, however long the output waits", async () => {
    const { channel, link } = openTestChannel({ windowSize: 3 });
    channel.send("abcdef");
    channel.sendExitStatus(1);
    channel.close();
    await settled();
    expect(link.received).toEqual(["data abc"]);
    outputOf(channel).adjustWindow(2);
    outputOf(channel).adjustWindow(1);
    await settled();
    expect(link.received.slice(1)).toEqual(["data de", "data f", "exit-status 1", "EOF", "CLOSE"]);
  });

  it("waits for stderr that waits for window", async () => {
    const { channel, link } = openTestChannel({ windowSize: 3 });
    channel.sendStderr("abcdef");
    channel.sendExitStatus(1);
    channel.close();
    await settled();
    expect(link.received).toEqual(["stderr abc"]);
    outputOf(channel).adjustWindow(3);
    await settled();
    expect(link.received.slice(1)).toEqual(["stderr def", "exit-status 1", "EOF", "CLOSE"]);
  });

  it("waits for many small pieces of stderr", async () => {
    const { channel, link } = openTestChannel({ windowSize: 1 });
    for (const piece of ["a", "b", "c", "d"]) channel.sendStderr(piece);
    channel.sendExitStatus(1);
    channel.close();
    outputOf(channel).adjustWindow(3);
    await settled();
    expect(link.received).toEqual(["stderr a", "stderr bcd", "exit-status 1", "EOF", "CLOSE"]);
  });

  it("is not held up by stderr that only sendStderr has used", async () => {
    const { channel, link } = openTestChannel();
    channel.sendStderr("oops");
    channel.end("out");
    await settled();
    expect(link.received).toEqual(["stderr oops", "data out", "EOF"]);
  });

  it("waits for what is piped into stderr, without close()", async () => {
    const { channel, link } = openTestChannel();
    const errors = new PassThrough();
    errors.pipe(channel.stderr);
    channel.end("out");
    await settled();
    expect(link.received).toEqual(["data out"]);
    errors.end("err");
    await settled();
    expect(link.received.slice(1)).toEqual(["stderr err", "EOF"]);
  });

  it("does not wait for a stderr that was taken, once close() is called", async () => {
    const { channel, link } = openTestChannel();
    channel.stderr.write("err");
    channel.close();
    await settled();
    expect(link.received).toEqual(["stderr err", "EOF", "CLOSE"]);
  });

  it("comes although stderr was destroyed", async () => {
    const { channel, link } = openTestChannel();
    const broken = new Readable({ read: () => broken.destroy(new Error("the program's stderr is broken")) });
    await expect(pipeline(broken, channel.stderr)).rejects.toThrow("broken");
    channel.send("out");
    channel.sendExitStatus(0);
    channel.close();
    await settled();
    expect(link.received).toEqual(["data out", "exit-status 0", "EOF", "CLOSE"]);
  });

  it("comes although stderr was destroyed last, with output waiting on it", async () => {
    const { channel, link } = openTestChannel({ windowSize: 1 });
    channel.stderr.write("ab");
    channel.stderr.write("cd");
    channel.end();
    channel.stderr.destroy();
    outputOf(channel).adjustWindow(10);
    await settled();
    expect(link.received.at(-1)).toBe("EOF");
  });

  it("nothing of stderr may follow EOF", async () => {
    const { channel, link } = openTestChannel();
    channel.sendStderr("early");
    channel.end();
    await settled();
    channel.sendStderr("late");
    channel.sendExitStatus(0);
    channel.close();
    await settled();
    expect(link.received).toEqual(["stderr early", "EOF", "exit-status 0", "CLOSE"]);
  });

  it("can be an exit signal, with or without SIG", () => {
    const { channel, link } = openTestChannel();
    channel.sendExitSignal("TERM");
    channel.sendExitSignal("SIGSEGV", { coreDumped: true, message: "bad pointer" });
    expect(link.received).toEqual(['exit-signal TERM no core ""', 'exit-signal SEGV core "bad pointer"']);
  });

  it("takes the code of a child that has no exit status", () => {
    const { channel, link } = openTestChannel();
    for (const code of [null, -2]) channel.sendExitStatus(code);
    expect(link.received).toEqual(["exit-status 255", "exit-status 255"]);
  });

  it.each([2 ** 32, 1.5, -0.5, Number.NaN, "0" as unknown as number])("takes no %s for an exit status", (status) => {
    const { channel, link } = openTestChannel();
    expect(() => channel.sendExitStatus(status)).toThrow(RangeError);
    expect(link.received).toEqual([]);
  });

  it("takes the largest exit status there is", () => {
    const { channel, link } = openTestChannel();
    channel.sendExitStatus(2 ** 32 - 1);
    expect(link.received).toEqual(["exit-status 4294967295"]);
  });
});
