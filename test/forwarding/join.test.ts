import { randomBytes } from "node:crypto";
import { getEventListeners, once } from "node:events";
import { Socket } from "node:net";
import { Duplex, type DuplexOptions, PassThrough } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { portOf } from "../../src/connection/channel.js";
import { type JoinOptions, join } from "../../src/index.js";
import { inputOf, openTestChannel, outputOf, settled, type TestChannelOptions } from "../connection/test-channel.js";
import { duplexPair } from "../server/duplex-pair.js";
import { type SocketPair, socketPair } from "./socket-pair.js";

const MEBIBYTE = 1024 * 1024;
const BLOCK = randomBytes(32 * 1024);

const openChannel = (options: TestChannelOptions = {}) => openTestChannel({ kind: "direct-tcpip", ...options });

type Opened = ReturnType<typeof openChannel>;

/** What the peer of a stream sees of it, in order: data as it came, `end`, errors by their codes, `close`. */
function seenBy(peer: Duplex): string[] {
  const seen: string[] = [];
  peer.on("data", (data) => seen.push(String(data)));
  peer.on("end", () => seen.push("end"));
  peer.on("error", (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
  peer.on("close", () => seen.push("close"));
  return seen;
}

/** The peer of a channel that sends as much as the channel's window allows. */
class Sender {
  sent = 0;
  readonly #channel: Opened["channel"];
  readonly #link: Opened["link"];

  constructor({ channel, link }: Opened) {
    this.#channel = channel;
    this.#link = link;
  }

  get maySend(): boolean {
    return inputOf(this.#channel).window.initialSize + this.#link.granted - this.sent >= BLOCK.length;
  }

  send(): void {
    inputOf(this.#channel).receiveData(BLOCK);
    this.sent += BLOCK.length;
  }
}

/** A stream that takes nothing until `accept` is called, and then what there is. */
class Slow extends Duplex {
  readonly taken: string[] = [];
  #callback: (() => void) | undefined;

  accept(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.taken.push(String(chunk));
    this.#callback = callback;
  }
}

describe("two joined streams", () => {
  it("get all that the other one gives, and its bytes are counted", async () => {
    const [one, two] = [await socketPair(), await socketPair()];
    const joined = join(one.near, two.near);
    const [there, back] = [randomBytes(3 * MEBIBYTE), randomBytes(2 * MEBIBYTE)];
    one.far.end(there);
    two.far.end(back);
    const [atTwo, atOne] = await Promise.all([buffer(two.far), buffer(one.far)]);
    expect([atTwo.equals(there), atOne.equals(back)]).toEqual([true, true]);
    expect(await joined).toEqual({ bytesFromFirst: there.length, bytesFromSecond: back.length, cause: "ended" });
    expect([one.near.destroyed, two.near.destroyed]).toEqual([true, true]);
  });

  it("may end one direction and go on in the other one", async () => {
    const [{ near, far }, { channel, link }] = [await socketPair(), openChannel()];
    const joined = join(channel, near);
    inputOf(channel).receiveData(Buffer.from("question"));
    inputOf(channel).receiveEof();
    const seen = seenBy(far);
    await vi.waitFor(() => expect(seen).toEqual(["question", "end"]));
    expect(link.received).toEqual([]);
    far.end("answer");
    expect(await joined).toEqual({ bytesFromFirst: 8, bytesFromSecond: 6, cause: "ended" });
    await settled();
    expect(link.received).toEqual(["data answer", "EOF", "CLOSE"]);
  });

  it("get what a stream held when it was joined, and an end that was read before", async () => {
    const [{ near, far }, { channel, link }] = [await socketPair(), openChannel()];
    near.unshift("held, ");
    far.end("and on the way");
    inputOf(channel).receiveEof();
    channel.resume();
    await once(channel, "end");
    const joined = join(near, channel);
    expect(await text(far)).toBe("");
    expect(await joined).toEqual({ bytesFromFirst: 20, bytesFromSecond: 0, cause: "ended" });
    await settled();
    expect(link.received.join("")).toBe("data held, data and on the wayEOFCLOSE");
  });

  it("get what came before the end of a channel whose window is small", async () => {
    const [one, other] = duplexPair();
    const { channel, link } = openChannel({ windowSize: 3 });
    const joined = join(one, channel);
    other.end("abcdefgh");
    inputOf(channel).receiveEof();
    await settled();
    expect(link.received).toEqual(["data abc"]);
    outputOf(channel).adjustWindow(4);
    await settled();
    expect(link.received).toEqual(["data abc", "data defg"]);
    outputOf(channel).adjustWindow(4);
    expect(await joined).toEqual({ bytesFromFirst: 8, bytesFromSecond: 0, cause: "ended" });
    await settled();
    expect(link.received).toEqual(["data abc", "data defg", "data h", "EOF", "CLOSE"]);
  });

  it("get EOF before CLOSE on a channel that is held up by something else", async () => {
    const [[one, other], { channel, link }] = [duplexPair(), openChannel()];
    const release = outputOf(channel).hold();
    const joined = join(one, channel);
    other.end();
    inputOf(channel).receiveEof();
    await joined;
    expect(link.received).toEqual([]);
    release();
    expect(link.received).toEqual(["EOF", "CLOSE"]);
  });

  it("are bytes, whatever encoding a stream has", async () => {
    const [one, other] = duplexPair();
    const { channel, link } = openChannel();
    one.setEncoding("hex");
    const joined = join(one, channel);
    other.end("text");
    inputOf(channel).receiveEof();
    expect(await joined).toMatchObject({ bytesFromFirst: 4, cause: "ended" });
    expect(link.received[0]).toBe("data text");
  });

  it("close together where a socket does not bear to be half open", async () => {
    const { near, far } = await socketPair({ allowHalfOpen: false });
    const { channel, link } = openChannel();
    const joined = join(near, channel);
    far.end("all");
    expect(await joined).toEqual({ bytesFromFirst: 3, bytesFromSecond: 0, cause: "ended" });
    await settled();
    expect(link.received).toEqual(["data all", "EOF", "CLOSE"]);
    expect(near.destroyed).toBe(true);
  });
});

describe("a stream that always has more", () => {
  it("is not read for long while others wait", async () => {
    const chunks = Array(64).fill(Buffer.alloc(64 * 1024));
    const source = new Duplex({
      read: () => source.push(chunks.pop() ?? null),
      write: (_chunk, _encoding, done) => done(),
    });
    const sink = new Duplex({ read: () => sink.push(null), write: (_chunk, _encoding, done) => done() });
    const joining = join(source, sink);
    const taken: number[] = [];
    while (taken.at(-1) !== 0) {
      const before = chunks.length;
      await nextTurn();
      taken.push(before - chunks.length);
    }
    expect(Math.max(...taken)).toBeLessThanOrEqual(6);
    expect((await joining).bytesFromFirst).toBe(4 * MEBIBYTE);
  });
});

describe("a stream that takes nothing", () => {
  it("keeps the other one from being read", async () => {
    const { channel } = openChannel({ windowSize: 0 });
    let read = 0;
    const source = new Duplex({
      read(size) {
        read += size;
        this.push(Buffer.alloc(size));
      },
      write: (_chunk, _encoding, callback) => callback(),
    });
    const abort = new AbortController();
    const joined = join(source, channel, { signal: abort.signal });
    await settled();
    expect(read).toBeLessThanOrEqual(source.readableHighWaterMark * 2 + channel.writableHighWaterMark);
    const before = read;
    outputOf(channel).adjustWindow(MEBIBYTE);
    await settled();
    expect(read).toBeGreaterThan(before);
    abort.abort();
    expect((await joined).bytesFromFirst).toBeLessThanOrEqual(MEBIBYTE + 2 * channel.writableHighWaterMark);
  });

  it("keeps the other one from being read, where it is a socket, and the other one has all at once", async () => {
    const { near, far } = await socketPair();
    far.pause();
    const source = new Duplex({
      read: (size) => source.push(Buffer.alloc(size)),
      write: (_chunk, _encoding, callback) => callback(),
    });
    const abort = new AbortController();
    const joined = join(source, near, { signal: abort.signal });
    let most = 0;
    await vi.waitFor(() => {
      most = Math.max(most, near.writableLength);
      expect(source.isPaused() && near.writableNeedDrain).toBe(true);
    });
    expect(Math.max(most, near.writableLength)).toBeLessThan(512 * 1024);
    abort.abort();
    await joined;
  });

  it("keeps the peer of a channel from sending", async () => {
    const { channel, link } = openChannel({ maxWindowSize: MEBIBYTE });
    const slow = new Slow();
    const abort = new AbortController();
    const joined = join(channel, slow, { signal: abort.signal });
    const sender = new Sender({ channel, link });
    const sendAll = async () => {
      while (sender.maySend) sender.send();
      await settled();
    };
    await sendAll();
    expect([slow.taken.length, link.granted]).toEqual([1, 0]);
    for (let round = 0; link.granted === 0 && round < 100; round++) {
      slow.accept();
      await settled();
    }
    expect(link.granted).toBeGreaterThan(0);
    abort.abort();
    await joined;
  });

  it("holds up a socket until it takes something", async () => {
    const { near, far } = await socketPair();
    const slow = new Slow();
    const joined = join(near, slow);
    const data = randomBytes(MEBIBYTE);
    far.end(data);
    await vi.waitFor(() => expect(slow.writableNeedDrain).toBe(true));
    expect(near.isPaused()).toBe(true);
    slow.push(null);
    const taking = setInterval(() => slow.accept());
    onTestFinished(() => clearInterval(taking));
    expect(await joined).toEqual({ bytesFromFirst: data.length, bytesFromSecond: 0, cause: "ended" });
  });
});

describe("a stream that ends before it has given its end", () => {
  it.each<[what: string, end: (far: Awaited<ReturnType<typeof socketPair>>) => void]>([
    ["is reset by its peer", ({ far }) => far.resetAndDestroy()],
    ["is destroyed", ({ near }) => near.destroy()],
    ["fails", ({ near }) => near.destroy(new Error("the cable is cut"))],
  ])("as a socket that %s, closes a channel without EOF", async (_, end) => {
    const pair = await socketPair();
    const { channel, link } = openChannel();
    const joined = join(pair.near, channel);
    pair.far.on("error", () => {});
    pair.far.write("part");
    await vi.waitFor(() => expect(link.received).toEqual(["data part"]));
    end(pair);
    expect(await joined).toMatchObject({ bytesFromFirst: 4, cause: "reset" });
    await settled();
    expect([link.received, link.ignoredErrors]).toEqual([["data part", "CLOSE"], []]);
  });

  it.each<[what: string, end: (channel: Opened["channel"]) => void]>([
    ["is lost with its connection", (channel) => portOf(channel).connectionClosed()],
    ["is destroyed", (channel) => channel.destroy()],
    ["fails", (channel) => channel.destroy(new Error("gone"))],
  ])("as a channel that %s, resets a TCP connection", async (_, end) => {
    const { near, far } = await socketPair();
    const { channel, link } = openChannel();
    const seen = seenBy(far);
    const joined = join(channel, near);
    inputOf(channel).receiveData(Buffer.from("part"));
    await vi.waitFor(() => expect(seen).toEqual(["part"]));
    end(channel);
    expect(await joined).toMatchObject({ bytesFromFirst: 4, cause: "reset" });
    await vi.waitFor(() => expect(seen).toEqual(["part", "ECONNRESET", "close"]));
    expect(link.ignoredErrors).toEqual([]);
  });

  it("gets what was read for the other one there, and only then ends it", async () => {
    const [one] = duplexPair();
    const { channel, link } = openChannel({ windowSize: 2 });
    const joined = join(one, channel);
    one.push("abcd");
    await settled();
    one.destroy(new Error("lost"));
    await settled();
    expect(link.received).toEqual(["data ab"]);
    inputOf(channel).receiveData(Buffer.from("for nobody"));
    outputOf(channel).adjustWindow(10);
    expect(await joined).toMatchObject({ bytesFromSecond: 0, cause: "reset", error: { message: "lost" } });
    expect(link.received).toEqual(["data ab", "data cd", "CLOSE"]);
  });

  it("destroys a stream of any other kind, without EOF", async () => {
    const [[one, other], { channel }] = [duplexPair(), openChannel()];
    const seen = seenBy(other);
    const joined = join(one, channel);
    inputOf(channel).receiveData(Buffer.from("part"));
    await settled();
    portOf(channel).connectionClosed();
    await joined;
    await vi.waitFor(() => expect(seen).toEqual(["part", "close"]));
  });
});

describe("the CLOSE of a channel's peer", () => {
  const closings = [
    ["without EOF", ["receiveClose"]],
    ["behind EOF", ["receiveEof", "receiveClose"]],
  ] as const;
  const close = (channel: Opened["channel"], methods: (typeof closings)[number][1]) => {
    for (const method of methods)
      method === "receiveEof" ? inputOf(channel).receiveEof() : portOf(channel).receiveClose();
  };

  it.each(closings)("%s is the end of a socket, which gets all that came before", async (_, methods) => {
    const { near, far } = await socketPair();
    const { channel, link } = openChannel();
    const sender = new Sender({ channel, link });
    const joined = join(channel, near);
    // More than the system buffers for a peer that does not read yet.
    while (near.writableLength === 0) {
      if (sender.maySend) sender.send();
      else await nextTurn();
    }
    close(channel, methods);
    const received = await buffer(far);
    expect(received.length).toBe(sender.sent);
    expect(await joined).toEqual({ bytesFromFirst: sender.sent, bytesFromSecond: 0, cause: "ended" });
  });

  it.each(closings)("%s ends the join when the other stream has taken the rest", async (_, methods) => {
    const { channel } = openChannel();
    const slow = new Slow();
    const joined = join(channel, slow);
    inputOf(channel).receiveData(Buffer.from("rest"));
    close(channel, methods);
    await settled();
    expect([channel.destroyed, slow.destroyed]).toEqual([true, false]);
    slow.accept();
    expect(await joined).toEqual({ bytesFromFirst: 4, bytesFromSecond: 0, cause: "ended" });
    expect([slow.writableFinished, slow.destroyed]).toEqual([true, true]);
  });

  it("without EOF is passed on to another channel as it is, behind the data", async () => {
    const [one, two] = [openChannel(), openChannel({ windowSize: 2 })];
    const joined = join(one.channel, two.channel);
    inputOf(one.channel).receiveData(Buffer.from("abcd"));
    close(one.channel, closings[0][1]);
    await settled();
    expect([one.link.received, two.link.received]).toEqual([["CLOSE"], ["data ab"]]);
    outputOf(two.channel).adjustWindow(2);
    expect(await joined).toEqual({ bytesFromFirst: 4, bytesFromSecond: 0, cause: "reset" });
    expect(two.link.received).toEqual(["data ab", "data cd", "CLOSE"]);
  });
});

describe("the limits of a join", () => {
  const openJoined = (options: JoinOptions) => {
    const [one, two] = [openChannel(), openChannel()];
    return { one, two, joined: join(one.channel, two.channel, options) };
  };

  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("end both streams when the time is over, and not before", async () => {
    const { one, two, joined } = openJoined({ timeout: 5 });
    inputOf(one.channel).receiveData(Buffer.from("x"));
    await vi.advanceTimersByTimeAsync(4999);
    expect([one.link.received, two.link.received]).toEqual([[], ["data x"]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await joined).toEqual({ bytesFromFirst: 1, bytesFromSecond: 0, cause: "timeout" });
    expect([one.link.received, two.link.received]).toEqual([["CLOSE"], ["data x", "CLOSE"]]);
  });

  it("end them when nothing passes in either direction", async () => {
    const { one, two, joined } = openJoined({ idleTimeout: 5 });
    for (const { channel } of [one, two, one, two]) {
      await vi.advanceTimersByTimeAsync(4000);
      inputOf(channel).receiveData(Buffer.from("x"));
    }
    await vi.advanceTimersByTimeAsync(4999);
    expect([one.channel.destroyed, two.channel.destroyed]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await joined).toEqual({ bytesFromFirst: 2, bytesFromSecond: 2, cause: "idle" });
    expect([one.link.received.at(-1), two.link.received.at(-1)]).toEqual(["CLOSE", "CLOSE"]);
  });

  it("are none by default", async () => {
    const { one, two, joined } = openJoined({});
    expect(vi.getTimerCount()).toBe(0);
    for (const { channel } of [one, two]) inputOf(channel).receiveEof();
    expect(await joined).toMatchObject({ cause: "ended" });
  });

  it("do not hurry a stream that has still to take the end of one that is complete", async () => {
    const { channel, link } = openChannel({ windowSize: 2 });
    const complete = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const joined = join(complete, channel);
    inputOf(channel).receiveEof();
    for (const data of ["abcd", null]) complete.push(data);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([complete.destroyed, link.received, vi.getTimerCount()]).toEqual([true, ["data ab"], 0]);
    outputOf(channel).adjustWindow(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(await joined).toEqual({ bytesFromFirst: 4, bytesFromSecond: 0, cause: "ended" });
    expect(link.received).toEqual(["data ab", "data cd", "EOF", "CLOSE"]);
  });

  it("give a stream half a minute to take what the one that is gone has left", async () => {
    const { channel } = openChannel();
    const slow = new Slow();
    const joined = join(channel, slow);
    inputOf(channel).receiveData(Buffer.from("x"));
    portOf(channel).connectionClosed();
    await vi.advanceTimersByTimeAsync(29_999);
    expect(slow.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await joined).toMatchObject({ cause: "reset" });
    expect([slow.destroyed, vi.getTimerCount()]).toEqual([true, 0]);
  });
});

describe("a signal", () => {
  it.each(["before", "meanwhile"])("that fires %s ends both streams abruptly", async (when) => {
    const { near, far } = await socketPair();
    const { channel, link } = openChannel();
    const seen = seenBy(far);
    const abort = new AbortController();
    if (when === "before") abort.abort();
    const joined = join(near, channel, { signal: abort.signal });
    if (when === "meanwhile") abort.abort();
    expect(await joined).toEqual({ bytesFromFirst: 0, bytesFromSecond: 0, cause: "aborted" });
    await vi.waitFor(() => expect(seen).toEqual(["ECONNRESET", "close"]));
    expect(link.received).toEqual(["CLOSE"]);
  });

  it("destroys a socket that still connects", async () => {
    const { near, far } = await socketPair();
    const connecting = new Socket();
    connecting.connect({ host: "127.0.0.1", port: 9 });
    const joined = join(connecting, near, { signal: AbortSignal.abort() });
    far.on("error", () => {});
    await joined;
    expect(connecting.destroyed).toBe(true);
  });

  it("that fires when one direction is complete leaves it complete", async () => {
    const { near, far } = await socketPair();
    const { channel, link } = openChannel();
    const seen = seenBy(far);
    const abort = new AbortController();
    const joined = join(near, channel, { signal: abort.signal });
    inputOf(channel).receiveData(Buffer.from("all"));
    inputOf(channel).receiveEof();
    await once(channel, "end");
    // A socket whose EOF is under way cannot be reset: it would stay open.
    const closed = once(near, "close");
    abort.abort();
    expect(await joined).toMatchObject({ cause: "aborted" });
    await closed;
    far.end();
    await vi.waitFor(() => expect(seen.at(-1)).toBe("close"));
    expect(seen).toEqual(["all", "end", "close"]);
    expect(link.received).toEqual(["CLOSE"]);
  });
});

describe("a join that is done", () => {
  const EVENTS = ["data", "end", "drain", "finish", "error", "close", "readable", "pause", "resume"];
  const listenersOf = (...streams: Duplex[]) =>
    streams.map((stream) => EVENTS.map((event) => `${event} ${stream.listenerCount(event)}`).join());

  it.each<[how: string, end: (pair: SocketPair, opened: Opened, abort: AbortController) => void]>([
    ["the ends of both", ({ far }, { channel }) => [far.end(), inputOf(channel).receiveEof()]],
    ["a reset", ({ far }) => far.resetAndDestroy()],
    ["the signal", (_pair, _opened, abort) => abort.abort()],
  ])("by %s leaves no listener and no timer behind", async (_, end) => {
    const pair = await socketPair();
    const opened = openChannel();
    const streams = [pair.near, opened.channel];
    const before = listenersOf(...streams);
    const abort = new AbortController();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const joined = join(pair.near, opened.channel, { signal: abort.signal, idleTimeout: 500, timeout: 500 });
    expect(vi.getTimerCount()).toBe(2);
    pair.far.on("error", () => {}).resume();
    await settled();
    end(pair, opened, abort);
    await joined;
    if (!opened.channel.destroyed) portOf(opened.channel).receiveClose();
    await vi.waitFor(() => expect(listenersOf(...streams)).toEqual(before));
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hears no error that comes until the streams are closed", async () => {
    const abort = new AbortController();
    const unclosed = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), emitClose: false });
    const slow = new Slow({ destroy: (_error, done) => setTimeout(done, 1, new Error("destroying failed")) });
    const joined = join(unclosed, slow, { signal: abort.signal });
    abort.abort();
    await joined;
    unclosed.emit("error", new Error("again"));
    await new Promise((resolve) => slow.once("close", resolve));
    expect(unclosed.listenerCount("error")).toBe(1);
  });
});

describe("a stream that is odd", () => {
  it("ends nothing else because it throws once the other one is gone", async () => {
    const source = new PassThrough();
    const odd = new Slow();
    const joined = join(source, odd);
    source.write("x");
    await settled();
    odd.write = () => {
      throw new Error("broken");
    };
    source.destroy();
    expect(await joined).toMatchObject({ bytesFromFirst: 1, cause: "reset" });
    expect(odd.destroyed).toBe(true);
  });

  const broken = new Error("broken");
  const taking = (options: DuplexOptions = {}) =>
    new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), ...options });

  it.each<[how: string, make: () => Duplex | Promise<Duplex>, error: string | undefined]>([
    ["is destroyed already", () => taking().destroy(), undefined],
    ["is destroyed already with an error", () => taking().destroy(broken), "broken"],
    [
      "is closed already",
      async () => {
        const stream = taking().destroy();
        await once(stream, "close");
        return stream;
      },
      undefined,
    ],
    [
      "has failed without being destroyed",
      async () => {
        const stream = taking({ autoDestroy: false, write: (_chunk, _encoding, done) => done(broken) });
        stream.write("x");
        await once(stream, "error");
        return stream;
      },
      "broken",
    ],
    [
      "throws where it is written to",
      () =>
        taking({
          write() {
            throw broken;
          },
        }),
      "broken",
    ],
    [
      "throws where it is ended",
      () => {
        const stream = taking();
        stream.write = () => true;
        stream.end = () => {
          throw broken;
        };
        return stream;
      },
      "broken",
    ],
    ["is ended already", () => taking().end(), "write after end"],
    [
      "fails twice",
      () => {
        const stream = taking();
        setImmediate(() => [stream.emit("error", broken), stream.emit("error", new Error("again"))]);
        return stream;
      },
      "broken",
    ],
    [
      "fails with something other than an error",
      () => {
        const stream = taking();
        setImmediate(() => stream.emit("error", "text"));
        return stream;
      },
      "the stream has failed",
    ],
    [
      "gives objects",
      () => {
        const stream = taking({ readableObjectMode: true });
        stream.push({ some: "object" });
        return stream;
      },
      "the stream gives something other than bytes",
    ],
  ])("because it %s ends the other one abruptly", async (_, make, error) => {
    for (const order of ["first", "second"]) {
      const odd = await make();
      const { channel, link } = openChannel();
      const joined = order === "first" ? join(odd, channel) : join(channel, odd);
      inputOf(channel).receiveData(Buffer.from("x"));
      inputOf(channel).receiveEof();
      const { cause, error: told } = await joined;
      expect([cause, told?.message]).toEqual(["reset", error]);
      await settled();
      expect([odd.destroyed, link.received, link.ignoredErrors]).toEqual([true, ["CLOSE"], []]);
    }
  });

  it("may be joined to itself", async () => {
    const { channel, link } = openChannel();
    const joined = join(channel, channel);
    inputOf(channel).receiveData(Buffer.from("echo"));
    inputOf(channel).receiveEof();
    await joined;
    expect(channel.destroyed || link.received.includes("CLOSE")).toBe(true);
  });
});
