import { describe, expect, it, vi } from "vitest";
import { Channel, type ChannelLink, type ChannelParameters } from "../../src/connection/channel.js";
import type { ChannelAuthority } from "../../src/connection/channel-authority.js";
import { Multiplexer } from "../../src/connection/multiplexer.js";
import type { MultiplexerLink } from "../../src/connection/multiplexer-link.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import type { Request } from "../../src/protocol/messages/requests.js";
import { Deferred } from "../attack/deferred.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelExtendedData,
  channelOpen,
  channelRequest,
  globalRequest,
  message,
  windowAdjust,
} from "../support/packet-messages.js";
import { describeMessage } from "./channel-messages.js";
import { inputOf, settled } from "./test-channel.js";
import { passWindows } from "./window-path.js";

/** The rest of the connection: what the multiplexer sends, and how it is held. */
class TestLink implements MultiplexerLink {
  readonly sent: string[] = [];
  readonly acceptsRequests = true;
  /** Packets of data that go before the link is full. */
  room = Number.POSITIVE_INFINITY;
  holds = 0;
  readonly failures: ProtocolError[] = [];
  readonly failedHooks: string[] = [];
  readonly ignoredMessages: string[] = [];
  readonly refusals: string[] = [];
  readonly misuses: string[] = [];

  get writable(): boolean {
    return this.room > 0;
  }

  send(payload: Buffer): void {
    this.sent.push(describeMessage(payload));
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.room--;
    this.send(Buffer.concat([head, ...parts]));
  }

  hold(): () => void {
    this.holds++;
    return () => {
      this.holds--;
    };
  }

  failed(error: ProtocolError): void {
    this.failures.push(error);
  }

  hookFailed(what: string): void {
    this.failedHooks.push(what);
  }

  ignored(kind: string): void {
    this.ignoredMessages.push(kind);
  }

  refused(what: string): void {
    this.refusals.push(what);
  }

  warned(_channelId: number, message: string): void {
    this.misuses.push(message);
  }

  /** What was sent since the last look. */
  take(): string[] {
    return this.sent.splice(0);
  }
}

class TestAuthority implements ChannelAuthority {
  readonly channels: Channel[] = [];
  readonly closed: number[] = [];
  decideOpen: (kind: string, channelId: number) => unknown = () => 0;
  channelRequest: ChannelAuthority["channelRequest"] = () => true;
  globalRequest: ChannelAuthority["globalRequest"] = () => false;

  createChannel(parameters: ChannelParameters, link: ChannelLink): Channel {
    return new Channel(parameters, link, undefined);
  }

  globalRequestReceived(): void {}

  channelOpened(channel: Channel): void {
    this.channels.push(channel);
  }

  channelClosed(channel: Channel): void {
    this.closed.push(channel.id);
  }
}

function start({ maxChannels = 10, maxWindowSize = 16 * 1024 * 1024 } = {}) {
  const link = new TestLink();
  const authority = new TestAuthority();
  const multiplexer = new Multiplexer({ maxChannels, maxWindowSize }, authority, link);
  const open = (senderChannel: number, kind = "session"): Channel => {
    multiplexer.receive(channelOpen({ senderChannel, kind }));
    link.take();
    const channel = authority.channels.at(-1);
    if (channel === undefined) throw new Error("the channel was not opened");
    return channel;
  };
  return { link, authority, multiplexer, open };
}

describe("opening channels", () => {
  it("gives each an id of its own and keeps the client's", () => {
    const { link, authority, multiplexer } = start();
    for (const senderChannel of [7, 7, 2 ** 32 - 1]) multiplexer.receive(channelOpen({ senderChannel }));
    expect(link.take()).toEqual(["opened 7 as 0", "opened 7 as 1", "opened 4294967295 as 2"]);
    expect(authority.channels.map(({ id, kind }) => [id, kind])).toEqual([
      [0, "session"],
      [1, "session"],
      [2, "session"],
    ]);
    expect(multiplexer.channelCount).toBe(3);
  });

  it("tells who decides the kind and the id, and the channel its kind's fields", () => {
    const { authority, multiplexer } = start();
    const asked = vi.fn(() => 0);
    authority.decideOpen = asked;
    const payload = Buffer.concat([channelOpen({ kind: "direct-tcpip" }), Buffer.from("fields")]);
    multiplexer.receive(payload);
    payload.fill(0);
    expect(asked.mock.calls).toEqual([["direct-tcpip", 0, expect.any(Buffer)]]);
    expect(authority.channels[0]?.openFields.toString()).toBe("fields");
  });

  it.each<[decision: unknown, reason: string]>([
    [1, "1 administratively prohibited"],
    [2, "2 connect failed"],
    [3, "3 unknown channel type"],
    [4, "4 too many channels"],
    [5, "1 administratively prohibited"],
    [0.5, "1 administratively prohibited"],
    [-0.1, "1 administratively prohibited"],
    ["0", "1 administratively prohibited"],
    ["toString", "1 administratively prohibited"],
    [true, "1 administratively prohibited"],
    [false, "1 administratively prohibited"],
    [null, "1 administratively prohibited"],
    [undefined, "1 administratively prohibited"],
    [{}, "1 administratively prohibited"],
    [null, "1 administratively prohibited"],
    [{ reason: 2, description: "no such host: ☃" }, "2 no such host: ☃"],
    [{ reason: 4 }, "4 too many channels"],
    [{ reason: 4, description: 4 }, "4 too many channels"],
    [{ reason: 0, description: "no" }, "1 no"],
    [{ reason: "2", description: "no" }, "1 no"],
    [{ reason: 2, description: "half \ud83d of it" }, "2 half \ufffd of it"],
    [{ reason: 2, description: `${"x".repeat(255)}😀` }, `2 ${"x".repeat(255)}`],
    [{ reason: 2, description: "x".repeat(100_000) }, `2 ${"x".repeat(256)}`],
  ])("is refused for the answer %j, at once or later", async (decision, reason) => {
    const { link, authority, multiplexer } = start();
    authority.decideOpen = () => decision;
    multiplexer.receive(channelOpen({ senderChannel: 9 }));
    authority.decideOpen = async () => decision;
    multiplexer.receive(channelOpen({ senderChannel: 10 }));
    await settled();
    expect(link.take()).toEqual([`refused 9: ${reason}`, `refused 10: ${reason}`]);
    expect(multiplexer.channelCount).toBe(0);
    expect(authority.channels).toEqual([]);
  });

  const broken = (): never => {
    throw new Error("broken");
  };

  it.each<[what: string, decide: () => unknown]>([
    ["throws", broken],
    ["rejects", async () => broken()],
    [
      "gives an answer that throws",
      () => new Proxy({}, { get: (_, name) => (name === "then" ? undefined : broken()) }),
    ],
    ["gives an answer that throws as a promise", () => new Proxy({}, { get: broken })],
  ])("is refused when the hook %s, which is reported", async (_, decide) => {
    const { link, authority, multiplexer } = start();
    authority.decideOpen = decide;
    multiplexer.receive(channelOpen());
    await settled();
    expect(link.take()).toEqual(["refused 0: 1 administratively prohibited"]);
    expect(link.failedHooks).toEqual(["channel of type session"]);
  });

  it("does not wait for one that is still being decided on", async () => {
    const { link, authority, multiplexer } = start();
    const slow = new Deferred<number>();
    authority.decideOpen = (_, id) => (id === 0 ? slow.promise : 0);
    multiplexer.receive(channelOpen({ senderChannel: 5 }));
    multiplexer.receive(channelOpen({ senderChannel: 6 }));
    expect(link.take()).toEqual(["opened 6 as 1"]);
    slow.resolve(0);
    await settled();
    expect(link.take()).toEqual(["opened 5 as 0"]);
  });

  it("counts those that are still being decided on, and gives places back", async () => {
    const { link, authority, multiplexer } = start({ maxChannels: 2 });
    const slow = new Deferred<number>();
    authority.decideOpen = () => slow.promise;
    for (const senderChannel of [0, 1, 2]) multiplexer.receive(channelOpen({ senderChannel }));
    expect(link.take()).toEqual(["refused 2: 4 too many channels"]);
    expect(link.refusals).toEqual(["channel of type session"]);
    slow.resolve(3);
    await settled();
    expect(link.take()).toEqual(["refused 0: 3 unknown channel type", "refused 1: 3 unknown channel type"]);
    authority.decideOpen = () => 0;
    for (const senderChannel of [3, 4, 5]) multiplexer.receive(channelOpen({ senderChannel }));
    expect(link.take()).toEqual(["opened 3 as 2", "opened 4 as 3", "refused 5: 4 too many channels"]);
    multiplexer.receive(channelClose(2));
    expect(link.take()).toEqual(["CLOSE"]);
    multiplexer.receive(channelOpen({ senderChannel: 6 }));
    expect(link.take()).toEqual(["opened 6 as 4"]);
  });

  it("keeps a place for a channel that only the server has closed", () => {
    const { link, multiplexer, open } = start({ maxChannels: 1 });
    open(0).destroy();
    multiplexer.receive(channelOpen({ senderChannel: 1 }));
    expect(link.take()).toEqual(["CLOSE", "refused 1: 4 too many channels"]);
  });

  it("keeps a place for a channel whose reader is behind, until it has come to the end", async () => {
    const { link, multiplexer, open } = start({ maxChannels: 1 });
    const channel = open(0);
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of channel) {
        pieces.push(String(piece));
        await settled();
      }
    })();
    multiplexer.receive(channelData(0, "one"));
    multiplexer.receive(channelData(0, "two"));
    multiplexer.receive(channelClose(0));
    link.take();
    multiplexer.receive(channelOpen({ senderChannel: 1 }));
    expect(link.take()).toEqual(["refused 1: 4 too many channels"]);
    await reading;
    expect(pieces.join("")).toBe("onetwo");
    await settled();
    multiplexer.receive(channelOpen({ senderChannel: 2 }));
    expect(link.take()).toEqual(["opened 2 as 1"]);
  });

  it("takes the place of a channel that is closed and that nobody listens to any more", async () => {
    const { link, multiplexer, open } = start({ maxChannels: 2 });
    const left = open(0);
    const heard = open(1);
    for (const [id, channel] of [left, heard].entries()) {
      channel.on("data", () => channel.pause());
      for (let piece = 0; piece < 3; piece++) multiplexer.receive(channelData(id, "piece"));
      await settled();
      multiplexer.receive(channelClose(id));
    }
    left.removeAllListeners("data");
    link.take();
    multiplexer.receive(channelOpen({ senderChannel: 2 }));
    expect(link.take()).toEqual(["opened 2 as 2"]);
    multiplexer.receive(channelOpen({ senderChannel: 3 }));
    expect(link.take()).toEqual(["refused 3: 4 too many channels"]);
    expect([left.destroyed, heard.destroyed]).toEqual([true, false]);
  });

  it("leaves no channel behind whose reader was behind when the connection ended", async () => {
    const { multiplexer, open } = start();
    const channel = open(0);
    const closed = vi.fn();
    channel.on("close", closed).on("data", () => channel.pause());
    for (let piece = 0; piece < 3; piece++) multiplexer.receive(channelData(0, "piece"));
    await settled();
    multiplexer.receive(channelClose(0));
    expect(channel.destroyed).toBe(false);
    multiplexer.close();
    await settled();
    expect(closed).toHaveBeenCalledOnce();
  });

  it("decided too late, when the connection is gone, opens nothing", async () => {
    const { link, authority, multiplexer } = start();
    const slow = new Deferred<number>();
    authority.decideOpen = () => slow.promise;
    multiplexer.receive(channelOpen());
    multiplexer.close();
    slow.resolve(0);
    await settled();
    expect([link.take(), authority.channels]).toEqual([[], []]);
  });
});

describe("messages on channels", () => {
  it("reach their channel", async () => {
    const { multiplexer, open } = start();
    const [first, second] = [open(10), open(20)];
    const read: string[] = [];
    for (const channel of [first, second]) channel.on("data", (data) => read.push(`${channel.id}: ${data}`));
    multiplexer.receive(channelData(1, "two"));
    multiplexer.receive(channelData(0, "one"));
    multiplexer.receive(channelEof(1));
    await settled();
    expect(read.sort()).toEqual(["0: one", "1: two"]);
    expect([first.readableEnded, second.readableEnded]).toEqual([false, true]);
  });

  it.each([
    ["data", channelData(0, "x")],
    ["extended data", channelExtendedData(0, 1, "x")],
    ["a window", windowAdjust(0, 1)],
    ["EOF", channelEof(0)],
    ["CLOSE", channelClose(0)],
  ])("must have their length: %s", (_, payload) => {
    const { multiplexer, open } = start();
    open(0);
    expect(() => multiplexer.receive(Buffer.concat([payload, Buffer.alloc(1)]))).toThrow(ProtocolError);
    expect(() => multiplexer.receive(payload.subarray(0, -1))).toThrow(ProtocolError);
    expect(() => multiplexer.receive(payload)).not.toThrow();
  });

  it.each<[payload: Buffer, ignored: string]>([
    [message(MessageNumber.CHANNEL_SUCCESS, Buffer.alloc(4)), "reply to no channel request"],
    [message(MessageNumber.CHANNEL_FAILURE, Buffer.alloc(4)), "reply to no channel request"],
    [message(MessageNumber.CHANNEL_SUCCESS, Buffer.alloc(4, 1)), "reply to no channel request"],
    [message(MessageNumber.CHANNEL_FAILURE, Buffer.alloc(4, 1)), "reply to no channel request"],
    [windowAdjust(1, 1), "window adjustment for a channel that is not open"],
  ])("that mean nothing are ignored, and noted: %j", (payload, ignored) => {
    const { link, multiplexer, open } = start();
    open(0);
    multiplexer.receive(payload);
    expect([link.ignoredMessages, link.take()]).toEqual([[ignored], []]);
  });

  it("may adjust the window of a channel that is closed, which is nothing to note", () => {
    const { link, multiplexer, open } = start();
    open(0);
    multiplexer.receive(channelClose(0));
    multiplexer.receive(windowAdjust(0, 1));
    expect(link.ignoredMessages).toEqual([]);
  });

  it("say once that the input ends; a second EOF is ignored, and noted", async () => {
    const { link, multiplexer, open } = start();
    const channel = open(0);
    const ends = vi.fn();
    channel.on("end", ends).resume();
    for (let times = 0; times < 3; times++) multiplexer.receive(channelEof(0));
    await settled();
    expect(ends).toHaveBeenCalledOnce();
    expect(link.ignoredMessages).toEqual(Array(2).fill("second EOF on a channel"));
  });

  it("may bring more data at once than was agreed, within the window", () => {
    const { multiplexer, open } = start();
    const channel = open(0);
    const data = "x".repeat(32 * 1024 + 13);
    multiplexer.receive(channelData(0, data));
    expect(channel.read()?.toString()).toBe(data);
  });

  it("after CLOSE have no channel any more, and its number is not given again", async () => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    multiplexer.receive(channelClose(0));
    expect(link.take()).toEqual(["CLOSE"]);
    expect(authority.closed).toEqual([0]);
    expect(() => multiplexer.receive(channelData(0, "x"))).toThrow(ProtocolError);
    multiplexer.receive(channelOpen());
    expect(link.take()).toEqual(["opened 0 as 1"]);
  });
});

describe("channel requests", () => {
  it("are answered in order, before what their hook writes", async () => {
    const { link, authority, multiplexer, open } = start();
    const channel = open(0);
    const decisions = [new Deferred<boolean>(), new Deferred<boolean>()];
    let asked = 0;
    authority.channelRequest = () => {
      channel.send(`output ${asked}`);
      return decisions[asked++]?.promise ?? true;
    };
    multiplexer.receive(channelRequest(0, "first", "want-reply"));
    multiplexer.receive(channelRequest(0, "second", "want-reply"));
    multiplexer.receive(channelRequest(0, "third", "want-reply"));
    await settled();
    expect([asked, link.take()]).toEqual([1, []]);
    decisions[0]?.resolve(true);
    await settled();
    expect([asked, link.take()]).toEqual([2, ["success"]]);
    decisions[1]?.resolve(false);
    await settled();
    expect(link.take()).toEqual(["failure", "success", "data output 0output 1output 2"]);
  });

  it("that want no reply get none and hold nothing back", async () => {
    const { link, authority, multiplexer, open } = start();
    const channel = open(0);
    authority.channelRequest = () => {
      channel.send("output");
      return new Promise(() => {});
    };
    multiplexer.receive(channelRequest(0, "env", "no-reply"));
    expect(link.take()).toEqual(["data output"]);
  });

  it("on one channel do not wait for another", async () => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    open(1);
    authority.channelRequest = (channel) => (channel.id === 0 ? new Promise(() => {}) : true);
    multiplexer.receive(channelRequest(0, "exec", "want-reply"));
    multiplexer.receive(channelRequest(1, "exec", "want-reply"));
    await settled();
    expect(link.take()).toEqual(["success"]);
  });

  it("hand over their kind, reply and fields", () => {
    const { authority, multiplexer, open } = start();
    open(0);
    const seen: unknown[] = [];
    authority.channelRequest = (channel, { kind, wantReply, fields }: Request) =>
      seen.push(channel.id, kind, wantReply, fields.readRest().toString()) > 0;
    multiplexer.receive(channelRequest(0, "x", "no-reply", Buffer.from("fields")));
    expect(seen).toEqual([0, "x", false, "fields"]);
  });

  it.each(["throws", "rejects"])("whose hook %s fail, and are reported", async (what) => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    authority.channelRequest = () => {
      const error = new Error("broken");
      if (what === "rejects") return Promise.reject(error);
      throw error;
    };
    multiplexer.receive(channelRequest(0, "exec", "want-reply"));
    await settled();
    expect(link.take()).toEqual(["failure"]);
    expect(link.failedHooks).toEqual(["channel request exec"]);
    expect(link.failures).toEqual([]);
  });

  it("that are malformed end the connection", async () => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    authority.channelRequest = (_, { fields }) => {
      fields.readUint32();
      return true;
    };
    multiplexer.receive(channelRequest(0, "exec", "want-reply"));
    await settled();
    expect(link.failures).toHaveLength(1);
    expect(() => multiplexer.receive(channelRequest(0, "exec", "want-reply").subarray(0, 7))).toThrow(ProtocolError);
  });

  it("decided after the channel was closed are not answered", async () => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    const decision = new Deferred<boolean>();
    const asked = vi.fn(() => decision.promise);
    authority.channelRequest = asked;
    multiplexer.receive(channelRequest(0, "first", "want-reply"));
    multiplexer.receive(channelRequest(0, "second", "want-reply"));
    multiplexer.receive(channelClose(0));
    decision.resolve(true);
    await settled();
    expect(link.take()).toEqual(["CLOSE"]);
    expect(asked).toHaveBeenCalledOnce();
  });

  it("ask nobody any more once the server has closed the channel", async () => {
    const { link, authority, multiplexer, open } = start();
    const channel = open(0);
    const decision = new Deferred<boolean>();
    const asked = vi.fn(() => decision.promise);
    authority.channelRequest = asked;
    multiplexer.receive(channelRequest(0, "first", "want-reply"));
    multiplexer.receive(channelRequest(0, "second", "want-reply"));
    channel.destroy();
    multiplexer.receive(channelRequest(0, "third", "want-reply"));
    decision.resolve(true);
    await settled();
    expect(asked).toHaveBeenCalledOnce();
    expect(link.take()).toEqual(["CLOSE"]);
  });

  it("keep their channel's place while they are handled, though it was closed", async () => {
    const { link, authority, multiplexer, open } = start({ maxChannels: 1 });
    open(0);
    const decision = new Deferred<boolean>();
    authority.channelRequest = () => decision.promise;
    multiplexer.receive(channelRequest(0, "exec", "want-reply"));
    multiplexer.receive(channelClose(0));
    multiplexer.receive(channelOpen({ senderChannel: 1 }));
    expect(link.take()).toEqual(["CLOSE", "refused 1: 4 too many channels"]);
    decision.resolve(true);
    await settled();
    multiplexer.receive(channelOpen({ senderChannel: 2 }));
    expect(link.take()).toEqual(["opened 2 as 1"]);
  });

  it("that pile up stop the connection until they are fewer, or their channel is closed", async () => {
    const { link, authority, multiplexer, open } = start();
    open(0);
    const decision = new Deferred<boolean>();
    authority.channelRequest = () => decision.promise;
    for (let index = 0; index < 200; index++) multiplexer.receive(channelRequest(0, "env", "no-reply"));
    expect(link.holds).toBe(1);
    decision.resolve(true);
    await settled();
    expect(link.holds).toBe(0);
    authority.channelRequest = () => new Promise(() => {});
    for (let index = 0; index < 200; index++) multiplexer.receive(channelRequest(0, "env", "no-reply"));
    expect(link.holds).toBe(1);
    multiplexer.receive(channelClose(0));
    expect(link.holds).toBe(0);
  });
});

describe("global requests", () => {
  it.each<[answer: unknown, reply: string]>([
    [true, "request success"],
    [false, "request failure"],
    [Buffer.from("00001f90", "hex"), "request success 00001f90"],
    [new Uint8Array(0), "request success"],
    [1, "request failure"],
    ["yes", "request failure"],
    [undefined, "request failure"],
  ])("answered %j get the reply %j", async (answer, reply) => {
    const { link, authority, multiplexer } = start();
    authority.globalRequest = () => answer as boolean;
    multiplexer.receive(globalRequest("x", "want-reply"));
    multiplexer.receive(globalRequest("x", "no-reply"));
    await settled();
    expect(link.take()).toEqual([reply]);
  });

  it("are answered in order", async () => {
    const { link, authority, multiplexer } = start();
    const slow = new Deferred<boolean>();
    authority.globalRequest = ({ kind }) => (kind === "slow" ? slow.promise : Buffer.from([1]));
    multiplexer.receive(globalRequest("slow", "want-reply"));
    multiplexer.receive(globalRequest("fast", "want-reply"));
    await settled();
    expect(link.take()).toEqual([]);
    slow.resolve(true);
    await settled();
    expect(link.take()).toEqual(["request success", "request success 01"]);
  });

  it.each(["throws", "rejects"])("whose hook %s fail, and are reported", async (what) => {
    const { link, authority, multiplexer } = start();
    authority.globalRequest = () => {
      const error = new Error("broken");
      if (what === "rejects") return Promise.reject(error);
      throw error;
    };
    multiplexer.receive(globalRequest("x", "want-reply"));
    await settled();
    expect(link.take()).toEqual(["request failure"]);
    expect(link.failedHooks).toEqual(["global request x"]);
  });

  it("that pile up stop the connection, and let it go with its end", () => {
    const { link, authority, multiplexer } = start();
    authority.globalRequest = () => new Promise(() => {});
    for (let index = 0; index < 200; index++) multiplexer.receive(globalRequest("x", "want-reply"));
    expect(link.holds).toBe(1);
    multiplexer.close();
    expect(link.holds).toBe(0);
  });
});

describe("keepalives", () => {
  it.each([MessageNumber.REQUEST_SUCCESS, MessageNumber.REQUEST_FAILURE])(
    "may be answered by message %i, each once",
    (number) => {
      const { link, multiplexer } = start();
      multiplexer.sendKeepalive();
      multiplexer.sendKeepalive();
      expect(link.take()).toEqual(["request keepalive@openssh.com", "request keepalive@openssh.com"]);
      multiplexer.receive(message(number));
      multiplexer.receive(message(number));
      expect(link.ignoredMessages).toEqual([]);
      multiplexer.receive(message(number));
      expect(link.ignoredMessages).toEqual(["reply to no global request"]);
    },
  );
});

describe("a connection that is full", () => {
  it("lets its channels write by turns once it has room", () => {
    const { link, multiplexer, open } = start();
    const channels = [open(0), open(1), open(2)];
    link.room = 0;
    for (const channel of channels) channel.send(Buffer.alloc(96 * 1024, `${channel.id}`));
    const order: string[] = [];
    for (let round = 0; round < 9; round++) {
      link.room = 1;
      multiplexer.resume();
      order.push(...link.take().map((packet) => packet.slice(0, 6)));
    }
    expect(order).toEqual(["0", "1", "2", "0", "1", "2", "0", "1", "2"].map((id) => `data ${id}`));
  });

  it("forgets channels that close while they wait", () => {
    const { link, multiplexer, open } = start();
    const channel = open(0);
    link.room = 0;
    channel.send("never");
    multiplexer.receive(channelClose(0));
    link.room = 10;
    multiplexer.resume();
    expect(link.take()).toEqual(["CLOSE"]);
  });
});

describe("windows of one connection", () => {
  /** Sends windows to a reader that keeps up, on a path with a long round trip. */
  function grow(channel: Channel): number {
    const { window } = inputOf(channel);
    passWindows(window, { roundTrip: 100, perMillisecond: 1024 * 1024 }, 20);
    return window.size;
  }

  it("grow together to no more than 32 MiB, and give it back when they close", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const { multiplexer, open } = start();
      const growths = [open(0), open(1), open(2), open(3)].map(
        (channel) => grow(channel) - inputOf(channel).window.initialSize,
      );
      const total = growths.reduce((sum, growth) => sum + growth);
      expect(growths[0]).toBeGreaterThan(0);
      expect(total).toBeLessThanOrEqual(32 * 1024 * 1024);
      expect(growths.at(-1)).toBeLessThan(growths[0] ?? 0);
      for (const id of [0, 1, 2, 3]) multiplexer.receive(channelClose(id));
      const late = open(4);
      expect(grow(late) - inputOf(late).window.initialSize).toBe(growths[0]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the end of a connection", () => {
  it("closes every channel, tells of each once, and sends nothing", async () => {
    const { link, authority, multiplexer, open } = start();
    const channels = [open(0), open(1)];
    multiplexer.receive(channelClose(0));
    link.take();
    channels[1]?.send("x");
    link.take();
    multiplexer.close();
    await settled();
    expect(authority.closed).toEqual([0, 1]);
    expect(channels.map(({ signal, destroyed }) => [signal.aborted, destroyed])).toEqual([
      [true, true],
      [true, true],
    ]);
    expect([link.take(), multiplexer.channelCount]).toEqual([[], 0]);
  });

  it("waits for no request", async () => {
    const { link, authority, multiplexer, open } = start();
    const channel = open(0);
    const decision = new Deferred<boolean>();
    authority.channelRequest = async () => {
      const allowed = await decision.promise;
      channel.send("too late");
      channel.close();
      return allowed;
    };
    multiplexer.receive(channelRequest(0, "exec", "want-reply"));
    multiplexer.receive(globalRequest("x", "want-reply"));
    multiplexer.close();
    decision.resolve(true);
    await settled();
    expect(link.failedHooks).toEqual([]);
    expect(link.take().filter((sent) => !sent.startsWith("request"))).toEqual([]);
  });

  it("reports stream errors that nobody listens for", async () => {
    const { link, open } = start();
    open(0).destroy(new Error("lost"));
    await settled();
    expect(link.failedHooks).toEqual(["stream of channel 0"]);
  });
});
