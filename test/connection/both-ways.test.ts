import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { AnswerTimeoutError } from "../../src/connection/answer-timeout-error.js";
import { ChannelOpenError } from "../../src/connection/channel-open-error.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Deferred } from "../attack/deferred.js";
import { Pair } from "./multiplexer-pair.js";

describe("two ends of a connection", () => {
  it("open channels at once, and data goes both ways on each", async () => {
    const pair = new Pair();
    const { one, other } = pair;
    const fields = Buffer.from("fields");
    const opening = [
      one.multiplexer.openChannel("from-one", fields),
      other.multiplexer.openChannel("from-other", fields),
      one.multiplexer.openChannel("from-one", fields),
    ];
    fields.fill(0);
    await pair.settle();
    const opened = await Promise.all(opening);
    expect(one.opened.map(({ kind, openFields }) => `${kind} ${openFields}`).sort()).toEqual([
      "from-one fields",
      "from-one fields",
      "from-other fields",
    ]);
    expect([one.opened.length, other.opened.length]).toEqual([3, 3]);
    const accepted = [...other.opened.filter(({ kind }) => kind === "from-one"), ...one.opened.slice(0, 1)];
    const size = 5 * 1024 * 1024;
    const streams = [...opened, ...accepted];
    const reading = streams.map((channel) => text(channel));
    for (const channel of streams) channel.end(Buffer.alloc(size, `${channel.id}`));
    await pair.settle();
    expect((await Promise.all(reading)).map(({ length }) => length)).toEqual(streams.map(() => size));
    expect([one.multiplexer.channelCount, other.multiplexer.channelCount]).toEqual([3, 3]);
    for (const channel of opened) channel.close();
    await pair.settle();
    expect([one.multiplexer.channelCount, other.multiplexer.channelCount]).toEqual([0, 0]);
    expect([one.closed.length, other.closed.length, ...one.failedHooks, ...other.failedHooks]).toEqual([3, 3]);
  });

  it("may close, end and destroy a channel at the same time", async () => {
    const pair = new Pair();
    const { one, other } = pair;
    for (const act of ["close", "sendEof", "destroy"] as const) {
      for (const answer of ["close", "destroy"] as const) {
        const [ours, theirs] = await pair.open(one, other);
        ours[act]();
        theirs[answer]();
        await pair.settle();
        ours.close();
        await pair.settle();
        expect([ours.signal.aborted, theirs.signal.aborted], `${act} and ${answer}`).toEqual([true, true]);
      }
    }
    expect([one.multiplexer.channelCount, other.multiplexer.channelCount]).toEqual([0, 0]);
    expect([...one.ignoredMessages, ...other.ignoredMessages]).toEqual([]);
  });

  it("ask each other at once, and each gets its own replies, in order", async () => {
    const pair = new Pair();
    for (const end of [pair.one, pair.other]) {
      end.globalRequest = async ({ kind, fields }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return kind === "refused" ? false : Buffer.from(`${kind} ${fields.readRest()}`);
      };
    }
    const ask = async (name: string) => {
      const replies = await Promise.all(
        [pair.one, pair.other].map(({ multiplexer }) => multiplexer.sendGlobalRequest(name, Buffer.from("?"))),
      );
      return replies.map(String);
    };
    const asked = Promise.all([ask("first"), ask("refused"), ask("second")]);
    await pair.settle();
    expect(await asked).toEqual([
      ["first ?", "first ?"],
      ["false", "false"],
      ["second ?", "second ?"],
    ]);
  });

  it("ask each other on a channel, and each gets its own replies, in order", async () => {
    const pair = new Pair();
    const channels = await pair.open(pair.one, pair.other);
    for (const end of [pair.one, pair.other]) {
      end.channelRequest = async (_, { kind, fields }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return `${kind} ${fields.readRest()}` === "yes !";
      };
    }
    const asked = Promise.all(
      channels.flatMap((channel) => [
        channel.sendRequest("yes", Buffer.from("!")),
        channel.sendRequest("no"),
        channel.sendRequest("no", Buffer.of(), { wantReply: false }),
        channel.sendRequest("yes", Buffer.from("!")),
      ]),
    );
    await pair.settle();
    expect(await asked).toEqual([true, false, true, true, true, false, true, true]);
    expect([...pair.one.ignoredMessages, ...pair.other.ignoredMessages]).toEqual([]);
  });
});

describe("opening a channel", () => {
  it("rejects with the reason and the text that the peer gives", async () => {
    const pair = new Pair();
    pair.other.decideOpen = () => 2;
    const opening = pair.one.multiplexer.openChannel("x");
    await pair.settle();
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ChannelOpenError);
    expect(error).toMatchObject({ name: "ChannelOpenError", reason: 2, description: "connect failed" });
    expect(String(error)).toBe("ChannelOpenError: the channel was not opened: connect failed (reason 2)");
    expect(pair.one.opened).toEqual([]);
  });

  it("counts with the channels that the peer opens, also after it was given up, until the peer answers", async () => {
    const pair = new Pair({ maxChannels: 3 });
    const decision = new Deferred<number>();
    pair.other.decideOpen = () => decision.promise;
    const abort = new AbortController();
    const given = pair.one.multiplexer.openChannel("x", undefined, { signal: abort.signal });
    const waiting = pair.one.multiplexer.openChannel("x");
    void pair.other.multiplexer.openChannel("y");
    await pair.settle();
    abort.abort(new Error("given up"));
    await expect(given).rejects.toThrow("given up");
    const tooMany = () => pair.one.multiplexer.openChannel("x");
    await expect(tooMany()).rejects.toThrow("too many channels");
    await expect(pair.other.multiplexer.openChannel("y")).rejects.toMatchObject({ reason: 4 });
    decision.resolve(0);
    await pair.settle();
    await waiting;
    expect([pair.one.multiplexer.channelCount, pair.other.multiplexer.channelCount]).toEqual([2, 2]);
    const again = tooMany();
    await pair.settle();
    await again;
  });

  it("gives its place back after two minutes without an answer, also where it was given up before", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const pair = new Pair({ maxChannels: 2, maxChannelsOfOther: 4 });
      const decision = new Deferred<number>();
      pair.other.decideOpen = (kind) => (kind === "x" ? decision.promise : 0);
      const abort = new AbortController();
      const { multiplexer } = pair.one;
      const given = multiplexer.openChannel("x", undefined, { signal: abort.signal });
      const waiting = multiplexer.openChannel("x");
      abort.abort(new Error("given up"));
      await expect(given).rejects.toThrow("given up");
      await pair.settle();
      vi.advanceTimersByTime(119_999);
      await expect(multiplexer.openChannel("x")).rejects.toThrow("too many channels");
      vi.advanceTimersByTime(1);
      await expect(waiting).rejects.toBeInstanceOf(AnswerTimeoutError);
      const again = [multiplexer.openChannel("y"), multiplexer.openChannel("y")];
      await pair.settle();
      await Promise.all(again);
      decision.resolve(0);
      await pair.settle();
      // What is confirmed too late is closed.
      expect(pair.one.opened.map(({ kind }) => kind)).toEqual(["y", "y"]);
      expect([multiplexer.channelCount, vi.getTimerCount()]).toEqual([2, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("fails at once when the peer has left 256 opens without any answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { one } = new Pair({ maxChannels: 64 });
      for (let round = 0; round < 4; round++) {
        for (let count = 0; count < 64; count++) void one.multiplexer.openChannel("x");
        vi.advanceTimersByTime(120_000);
      }
      expect(one.underWay).toHaveLength(256);
      await expect(one.multiplexer.openChannel("x")).rejects.toMatchObject({
        reason: 4,
        description: "the peer has not answered the last 256 opens",
      });
      one.multiplexer.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that was given up closes the channel as soon as it is confirmed, and tells nobody", async () => {
    const pair = new Pair();
    const abort = new AbortController();
    const opening = pair.one.multiplexer.openChannel("x", undefined, { signal: abort.signal });
    pair.one.deliverTo(pair.other);
    const [theirs] = pair.other.opened;
    theirs?.send("data that is dropped");
    void theirs?.sendRequest("a request that nobody answers");
    abort.abort();
    await expect(opening).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    pair.other.deliverTo(pair.one);
    expect(pair.one.underWay).toEqual([M.CHANNEL_CLOSE]);
    expect(pair.one.multiplexer.channelCount).toBe(0);
    await pair.settle();
    expect(theirs?.signal.aborted).toBe(true);
    expect([pair.one.opened, pair.one.closed]).toEqual([[], []]);
    expect([pair.one.multiplexer.channelCount, pair.other.multiplexer.channelCount]).toEqual([0, 0]);
  });

  it("and asking send nothing where the signal has fired", async () => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    const options = { signal: AbortSignal.abort(new Error("too late")) };
    await expect(pair.one.multiplexer.openChannel("x", undefined, options)).rejects.toThrow("too late");
    await expect(pair.one.multiplexer.sendGlobalRequest("x", undefined, options)).rejects.toThrow("too late");
    await expect(channel.sendRequest("x", undefined, options)).rejects.toThrow("too late");
    expect(pair.one.underWay).toEqual([]);
  });

  it.each<[what: string, kind: unknown, fields: unknown, options: unknown, error: string]>([
    ["no name", "", undefined, undefined, "a name is"],
    ["a long name", "x".repeat(65), undefined, undefined, "a name is"],
    ["a comma", "a,b", undefined, undefined, "a name is"],
    ["a name with a space", "a b", undefined, undefined, "a name is"],
    ["a number", 1, undefined, undefined, "a name is"],
    ["a text for bytes", "x", "text", undefined, "are bytes"],
    ["long fields", "x", Buffer.alloc(32 * 1024), undefined, "up to 32512 bytes"],
    ["an unknown option", "x", undefined, { sginal: undefined }, "did you mean signal?"],
    ["a signal that is none", "x", undefined, { signal: {} }, "signal: must be an AbortSignal"],
    ["no options", "x", undefined, null, "must be an object"],
  ])("and asking refuse %s", async (_, kind, fields, options, error) => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    const parameters = [kind, fields, options];
    for (const [method, on] of [
      ["openChannel", pair.one.multiplexer],
      ["sendGlobalRequest", pair.one.multiplexer],
      ["sendRequest", channel],
    ] as const) {
      const call: unknown = Reflect.get(on, method);
      if (typeof call !== "function") throw new Error("unreachable");
      await expect(Reflect.apply(call, on, parameters)).rejects.toThrow(error);
    }
    expect([pair.one.underWay, pair.one.multiplexer.channelCount]).toEqual([[], 1]);
  });
});

describe("replies", () => {
  it("still match when the program does not wait for one of them any more", async () => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    pair.other.globalRequest = ({ kind }) => Buffer.from(kind);
    pair.other.channelRequest = (_, { kind }) => kind === "second";
    const abort = new AbortController();
    const { signal } = abort;
    const globals = [
      pair.one.multiplexer.sendGlobalRequest("first", undefined, { signal }),
      pair.one.multiplexer.sendGlobalRequest("second"),
    ];
    const requests = [channel.sendRequest("first", undefined, { signal }), channel.sendRequest("second")];
    abort.abort(new Error("given up"));
    await pair.settle();
    expect((await Promise.allSettled([...globals, ...requests])).map((one) => JSON.stringify(one))).toEqual(
      [
        { status: "rejected", reason: new Error("given up") },
        { status: "fulfilled", value: Buffer.from("second") },
        { status: "rejected", reason: new Error("given up") },
        { status: "fulfilled", value: true },
      ].map((one) => JSON.stringify(one)),
    );
    expect(pair.one.ignoredMessages).toEqual([]);
  });

  it("may be owed for 256 requests at a time, of the connection and of each channel", async () => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    pair.other.globalRequest = () => true;
    const ways: (() => Promise<Buffer | boolean>)[] = [
      () => pair.one.multiplexer.sendGlobalRequest("x"),
      () => channel.sendRequest("x"),
    ];
    for (const ask of ways) {
      const asked = Array.from({ length: 256 }, ask);
      await expect(ask()).rejects.toThrow("has not answered the last 256 requests");
      await pair.settle();
      expect((await Promise.all(asked)).every((reply) => reply !== false)).toBe(true);
      const again = ask();
      await pair.settle();
      await again;
    }
  });

  it("to keepalives are awaited by nobody; a peer that gives none is told in the end that it need not", async () => {
    const pair = new Pair();
    for (let count = 0; count < 1000; count++) pair.one.multiplexer.sendKeepalive();
    const wanted: boolean[] = [];
    pair.other.globalRequest = ({ wantReply }) => {
      wanted.push(wantReply);
      return true;
    };
    await pair.settle();
    expect(wanted.filter((want) => want)).toHaveLength(256);
    expect(wanted).toHaveLength(1000);
    expect(pair.one.ignoredMessages).toEqual([]);
  });
});

describe("what waits for an answer", () => {
  it("hears of the end of the connection, and cannot be asked after it", async () => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    const { multiplexer } = pair.one;
    const ask = () => [multiplexer.openChannel("x"), multiplexer.sendGlobalRequest("x"), channel.sendRequest("x")];
    const before = ask();
    multiplexer.close();
    const after = ask();
    const outcomes = await Promise.allSettled<unknown>([...before, ...after]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "answered"));
    expect(reasons).toEqual([
      "Error: the connection has ended",
      "Error: the connection has ended",
      "Error: the channel was closed before the answer",
      "Error: the connection has ended",
      "Error: the connection has ended",
      "Error: the channel is closed",
    ]);
  });

  it("on a channel hears that the peer has closed it", async () => {
    const pair = new Pair();
    const [channel, theirs] = await pair.open(pair.one, pair.other);
    pair.other.channelRequest = () => new Promise(() => {});
    const asked = channel.sendRequest("x");
    theirs.destroy();
    await pair.settle();
    await expect(asked).rejects.toThrow("the channel was closed before the answer");
  });

  it("harms nobody where nobody waits for it", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const pair = new Pair();
      const [channel] = await pair.open(pair.one, pair.other);
      void pair.one.multiplexer.openChannel("x");
      void pair.one.multiplexer.sendGlobalRequest("x");
      void channel.sendRequest("x");
      pair.one.multiplexer.close();
      void pair.one.multiplexer.openChannel("x");
      void channel.sendRequest("");
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  it("leaves no listener on the signal behind, and many are nothing to warn of", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const pair = new Pair();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const added = vi.spyOn(signal, "addEventListener");
    const opening = pair.one.multiplexer.openChannel("x", undefined, { signal });
    await pair.settle();
    const channel = await opening;
    const asked = Array.from({ length: 20 }, () => channel.sendRequest("x", undefined, { signal }));
    await pair.settle();
    await Promise.all(asked);
    expect(added).toHaveBeenCalledTimes(21);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
  });
});

describe("a message of ours", () => {
  it("goes out in the order of the calls, each at once", async () => {
    const pair = new Pair();
    const [channel] = await pair.open(pair.one, pair.other);
    void pair.one.multiplexer.sendGlobalRequest("x");
    void channel.sendRequest("x");
    channel.send("x");
    void pair.one.multiplexer.openChannel("x");
    expect(pair.one.underWay).toEqual([M.GLOBAL_REQUEST, M.CHANNEL_REQUEST, M.CHANNEL_DATA, M.CHANNEL_OPEN]);
  });
});
