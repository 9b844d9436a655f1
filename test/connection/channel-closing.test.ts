import { once } from "node:events";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it, vi } from "vitest";
import { type Channel, portOf } from "../../src/connection/channel.js";
import { inputOf, openTestChannel, outputOf, settled } from "./test-channel.js";

describe("closing a channel", () => {
  it("sends EOF and CLOSE once, however often it is asked for", async () => {
    const { channel, link } = openTestChannel();
    channel.sendEof();
    channel.sendEof();
    channel.close();
    channel.close();
    channel.end();
    channel.destroy();
    await settled();
    expect(link.received).toEqual(["EOF", "CLOSE"]);
    expect(link.ignoredErrors).toEqual([]);
  });

  it("leaves no room for an exit status behind it: the log is told", async () => {
    const { channel, link } = openTestChannel({ windowSize: 0 });
    channel.send("x");
    channel.sendExitStatus(3);
    channel.close();
    channel.sendExitStatus(4);
    channel.sendExitSignal("TERM");
    outputOf(channel).adjustWindow(1);
    await settled();
    expect(link.received).toEqual(["data x", "exit-status 3", "EOF", "CLOSE"]);
    expect(link.misuses).toEqual([
      "an exit status after close() is not sent",
      "an exit signal after close() is not sent",
    ]);
  });

  it("half, by end(), leaves the other half open", async () => {
    const { channel, link } = openTestChannel();
    const pieces: string[] = [];
    channel.on("data", (piece) => pieces.push(String(piece)));
    channel.end("bye");
    inputOf(channel).receiveData(Buffer.from("still talking"));
    await settled();
    expect(link.received).toEqual(["data bye", "EOF"]);
    expect(pieces).toEqual(["still talking"]);
    expect(channel.destroyed).toBe(false);
  });

  it.each<[when: string, close: (channel: Channel) => void]>([
    ["behind EOF", (channel) => channel.end()],
    ["that is destroyed", (channel) => channel.destroy()],
    [
      "that the client has closed, while its data is read",
      (channel) => {
        channel.pause();
        channel.on("data", () => {});
        portOf(channel).receiveClose();
      },
    ],
  ])("takes no lent bytes on a channel %s", async (_, close) => {
    const { channel, link } = openTestChannel();
    expect(outputOf(channel).writeLent(Buffer.from("before"))).toBe(true);
    close(channel);
    channel.on("error", () => {});
    expect(outputOf(channel).writeLent(Buffer.from("after"))).toBe(false);
    await settled();
    expect(link.received.filter((message) => message.startsWith("data"))).toEqual(["data before"]);
  });

  it("half, by the client's EOF, leaves the other half open", async () => {
    const { channel, link } = openTestChannel();
    channel.resume();
    inputOf(channel).receiveEof();
    await once(channel, "end");
    channel.send("still here");
    await settled();
    expect(link.received).toEqual(["data still here"]);
    expect(channel.destroyed).toBe(false);
  });

  it("by destroy() drops what waits", async () => {
    const { channel, link } = openTestChannel({ windowSize: 2 });
    channel.send("abcd");
    channel.sendStderr("efgh");
    channel.sendExitStatus(0);
    channel.destroy();
    outputOf(channel).adjustWindow(100);
    await settled();
    expect(link.received).toEqual(["data ab", "CLOSE"]);
  });

  it("by destroy() drops what comes until the client's CLOSE", async () => {
    const { channel, link } = openTestChannel();
    channel.destroy();
    for (let sent = 0; sent < inputOf(channel).window.size; sent += 32 * 1024)
      inputOf(channel).receiveData(Buffer.alloc(32 * 1024));
    inputOf(channel).receiveExtendedData(Buffer.alloc(0));
    inputOf(channel).receiveEof();
    portOf(channel).receiveClose();
    await settled();
    expect([link.received, link.granted, channel.readableLength]).toEqual([["CLOSE"], 0, 0]);
  });

  it("while it stalls ends when the client closes it", async () => {
    const { channel, link } = openTestChannel({ windowSize: 1 });
    channel.send("abc");
    channel.close();
    portOf(channel).receiveClose();
    await settled();
    expect(link.received).toEqual(["data a", "CLOSE"]);
    expect([channel.destroyed, link.closings]).toEqual([true, 1]);
  });

  it("while it stalls ends with the connection", async () => {
    const { channel, link } = openTestChannel({ windowSize: 1 });
    const writing = pipeline(Readable.from(["abc", "def"]), channel);
    await settled();
    portOf(channel).connectionClosed();
    await expect(writing).rejects.toThrow(expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }));
    expect(link.received).toEqual(["data a"]);
  });

  it("is done once, though the connection ends after it", async () => {
    const { channel, link } = openTestChannel();
    portOf(channel).receiveClose();
    portOf(channel).connectionClosed();
    await settled();
    expect(link.closings).toBe(1);
  });

  it("is told by 'close' after the client's CLOSE, and not before", async () => {
    const { channel } = openTestChannel();
    const closed = vi.fn();
    channel.on("close", closed);
    channel.on("data", () => {});
    channel.send("output");
    channel.close();
    inputOf(channel).receiveEof();
    await settled();
    expect(closed).not.toHaveBeenCalled();
    portOf(channel).receiveClose();
    await settled();
    expect(closed).toHaveBeenCalledOnce();
  });
});

describe("a channel's signal", () => {
  it.each([
    ["the client's CLOSE", "receiveClose"],
    ["the end of the connection", "connectionClosed"],
  ] as const)("fires with %s, also for those who ask late", async (_, method) => {
    const { channel, link } = openTestChannel();
    const { signal } = channel;
    expect(signal.aborted).toBe(false);
    portOf(channel)[method]();
    expect(signal.aborted).toBe(true);
    expect(channel.signal).toBe(signal);
    expect(link.closings).toBe(1);
    const late = openTestChannel().channel;
    portOf(late)[method]();
    expect(late.signal.aborted).toBe(true);
  });
});

const waysToClose = {
  close: (channel: Channel) => channel.close(),
  destroy: (channel: Channel) => channel.destroy(),
  receiveEof: (channel: Channel) => inputOf(channel).receiveEof(),
  receiveClose: (channel: Channel) => portOf(channel).receiveClose(),
  connectionClosed: (channel: Channel) => portOf(channel).connectionClosed(),
};

describe("writing to a channel that is closed", () => {
  it.each(["close", "destroy", "receiveClose", "connectionClosed"] as const)(
    "after %s sends nothing and harms nobody",
    async (method) => {
      const { channel, link } = openTestChannel();
      waysToClose[method](channel);
      await settled();
      const before = [...link.received];
      channel.send("late");
      channel.sendStderr("late");
      channel.stderr.write("late");
      channel.sendExitStatus(0);
      channel.sendExitSignal("TERM");
      channel.sendEof();
      channel.close();
      outputOf(channel).reply("success");
      outputOf(channel).adjustWindow(1);
      await settled();
      expect(link.received).toEqual(before);
    },
  );

  it("after close() does not cut off what was written before", async () => {
    const { channel, link } = openTestChannel({ windowSize: 1 });
    channel.send("abc");
    channel.close();
    channel.send("late");
    await settled();
    outputOf(channel).adjustWindow(10);
    await settled();
    expect(link.received).toEqual(["data a", "data bc", "EOF", "CLOSE"]);
    portOf(channel).receiveClose();
    await settled();
    expect(channel.closed).toBe(true);
  });

  it("by the client while its input is still being read sends nothing more", async () => {
    const { channel, link } = openTestChannel();
    channel.pause();
    inputOf(channel).receiveData(Buffer.from("input"));
    portOf(channel).receiveClose();
    expect(link.received).toEqual(["CLOSE"]);
    channel.write("late");
    channel.sendStderr("late");
    channel.sendExitStatus(0);
    await settled();
    expect(link.received).toEqual(["CLOSE"]);
  });

  it.each([
    ["alone", []],
    ["behind EOF", ["receiveEof"]],
  ] as const)("by the client's CLOSE %s fails a pipe from the channel back to it", async (_, before) => {
    const { channel, link } = openTestChannel({ windowSize: 10 });
    const slow = new Transform({
      transform: (piece, _encoding, callback) => {
        setImmediate(() => callback(null, piece));
      },
    });
    const echo = pipeline(channel, slow, channel);
    for (let index = 0; index < 20; index++) inputOf(channel).receiveData(Buffer.alloc(10_000));
    await settled();
    for (const method of before) inputOf(channel)[method]();
    portOf(channel).receiveClose();
    await expect(echo).rejects.toThrow(expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }));
    expect(channel.closed).toBe(true);
    expect(link.received.at(-1)).toBe("CLOSE");
  });

  it("gives a writer that waits for window no rest until it is told", async () => {
    const { channel } = openTestChannel({ windowSize: 0 });
    channel.on("data", () => {});
    channel.pause();
    inputOf(channel).receiveData(Buffer.from("unread"));
    const writing = pipeline(Readable.from([Buffer.alloc(100_000), Buffer.alloc(1)]), channel);
    await settled();
    portOf(channel).receiveClose();
    await expect(writing).rejects.toThrow(expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }));
  });
});

describe("a reader that is behind", () => {
  /** Takes one piece, and the next when `next` is called. */
  function slowSink(): { sink: Writable; pieces: string[]; next: () => void } {
    const pieces: string[] = [];
    let next = () => {};
    const sink = new Writable({
      highWaterMark: 1,
      write(piece, _encoding, callback) {
        pieces.push(String(piece));
        next = callback;
      },
    });
    return { sink, pieces, next: () => next() };
  }

  const pieces = (count: number) => Array.from({ length: count }, (_, index) => `piece ${index}`.padEnd(2000));

  it.each([1, 2, 20])("gets all of %i pieces that came before CLOSE, and its end", async (count) => {
    const { channel } = openTestChannel();
    const slow = slowSink();
    const piping = pipeline(channel, slow.sink);
    for (const piece of pieces(count)) inputOf(channel).receiveData(Buffer.from(piece));
    await settled();
    portOf(channel).receiveClose();
    for (let round = 0; round < count; round++) {
      await settled();
      slow.next();
    }
    await piping;
    expect(slow.pieces.join("")).toBe(pieces(count).join(""));
    expect(channel.closed).toBe(true);
  });

  it.each([
    ["after EOF, with the connection", ["receiveEof", "connectionClosed"]],
    ["after EOF, by destroy()", ["receiveEof", "destroy"]],
    ["after CLOSE, with the connection", ["receiveClose", "connectionClosed"]],
    ["after CLOSE, by destroy()", ["receiveClose", "destroy"]],
  ] as const)("%s hears that it does not get all", async (_, methods) => {
    for (const count of [1, 20]) {
      const { channel, link } = openTestChannel();
      const piping = pipeline(channel, slowSink().sink);
      for (const piece of pieces(count)) inputOf(channel).receiveData(Buffer.from(piece));
      await settled();
      for (const method of methods) waysToClose[method](channel);
      await expect(piping).rejects.toThrow(expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }));
      expect(link.ignoredErrors).toEqual([]);
    }
  });

  it("is not an error to report where nobody listens for it", async () => {
    const { channel, link } = openTestChannel();
    channel.on("data", () => channel.pause());
    for (const piece of pieces(2)) inputOf(channel).receiveData(Buffer.from(piece));
    inputOf(channel).receiveEof();
    await settled();
    portOf(channel).connectionClosed();
    await settled();
    expect([channel.closed, channel.readableEnded, link.ignoredErrors]).toEqual([true, false, []]);
  });
});

describe("errors on a channel's streams", () => {
  it("are reported when nobody listens", async () => {
    const { channel, link } = openTestChannel();
    const lost = new Error("the source is lost");
    channel.stderr.destroy(lost);
    channel.destroy(lost);
    await settled();
    expect(link.ignoredErrors).toEqual([lost, lost]);
    expect(link.received).toEqual(["CLOSE"]);
  });

  it("are left to those who listen", async () => {
    const { channel, link } = openTestChannel();
    const broken = new Writable({ write: (_piece, _encoding, callback) => callback(new Error("the disk is full")) });
    const piping = pipeline(channel, broken);
    inputOf(channel).receiveData(Buffer.from("x"));
    await expect(piping).rejects.toThrow("the disk is full");
    await settled();
    expect(link.ignoredErrors).toEqual([]);
    expect(link.received).toEqual(["CLOSE"]);
  });
});
