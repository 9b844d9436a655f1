import { once } from "node:events";
import { connect } from "node:net";
import { Duplex, PassThrough, Writable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import type { ForwardingOptions } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { channelData, readOpenFailure } from "../support/packet-messages.js";
import { Deferred } from "./deferred.js";
import {
  directStreamlocal,
  directTcpip,
  handled,
  listeningTarget,
  openedNumber,
  startForwarding,
} from "./forwarding-client.js";

type Local = NonNullable<ForwardingOptions["local"]>;

/** A decision that its types do not allow. */
const deciding = (answer: () => unknown): ForwardingOptions => ({ local: answer as Local, connectTimeout: 5 });

describe("something else than a decision about a target", () => {
  it.each<[what: string, answer: () => unknown]>([
    ["nothing", () => undefined],
    ["a promise of a promise of nothing", async () => Promise.resolve()],
    [
      "a thenable that throws",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: it is what a program may give
        get then(): never {
          throw new Error("then");
        },
      }),
    ],
    [
      "an object that throws whatever is asked of it",
      () =>
        new Proxy(
          {},
          {
            get(_target, name) {
              if (name === "then") return undefined;
              throw new Error("asked");
            },
          },
        ),
    ],
    ["half a stream", () => new Writable()],
    ["something with few methods of a stream", () => ({ pipe() {}, write() {}, on() {}, destroy() {} })],
  ])("refuses, and is an error of the log: %s", async (_, answer) => {
    const { client, lines, leave } = await startForwarding(deciding(answer));
    client.sendPacket(directTcpip("host", 1));
    expect(readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE)).reason).toBe(1);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([["error", "a hook has failed"]]);
    await leave();
  });

  it.each<[what: string, answer: () => unknown]>([
    ["is being destroyed", () => new Duplex({ destroy: () => {} }).destroy()],
    ["does not connect", () => connect(1, "127.0.0.1")],
    [
      "throws where it is listened to",
      () => Object.assign(new PassThrough(), { on: () => expect.fail("listened to") }),
    ],
  ])("is not connected where its stream %s", async (_, answer) => {
    const { client, leave } = await startForwarding(deciding(answer));
    client.sendPacket(directTcpip("host", 1));
    expect(readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE)).reason).toBe(2);
    await leave();
  });
});

describe("a stream of a decision", () => {
  it.each<[what: string, make: () => Duplex]>([
    [
      "gives objects",
      () => new PassThrough({ objectMode: true, transform: (_, __, done) => done(null, { some: "object" }) }),
    ],
    ["fails, and again when it is closed", () => failing(new PassThrough())],
    [
      "throws where it is written to",
      () => Object.assign(new PassThrough(), { write: () => expect.fail("written to") }),
    ],
    ["throws where it is resumed", () => Object.assign(new PassThrough(), { resume: () => expect.fail("resumed") })],
  ])("that %s ends the channel, and nothing else", async (_, make) => {
    const { client, leave } = await startForwarding(deciding(make));
    client.sendPacket(directTcpip("host", 1));
    const id = await openedNumber(client);
    // It may be closed by now.
    await vi.waitFor(async () => {
      client.sendPacket(channelData(id, "x"));
      expect(await handled(client)).toContain(M.CHANNEL_CLOSE);
    });
    await leave();
  });
});

describe("a connection that a decision makes", () => {
  it("need not be waited for, may fail, and is closed where the client is refused", async () => {
    const { port, sockets } = await listeningTarget();
    const { client, leave } = await startForwarding({
      local: async (target) => {
        void target.connect();
        if (target.port === port) await vi.waitFor(() => expect(sockets).toHaveLength(1));
        return false;
      },
    });
    for (const open of [directTcpip("127.0.0.1", 1), directTcpip("\n", 1), directStreamlocal("/x")]) {
      client.sendPacket(open);
      await client.expect(M.CHANNEL_OPEN_FAILURE);
    }
    client.sendPacket(directTcpip("127.0.0.1", port));
    await client.expect(M.CHANNEL_OPEN_FAILURE);
    await leave();
  });

  it("is not made for a client who is gone", async () => {
    const { port, sockets } = await listeningTarget();
    const go = new Deferred();
    const outcomes: unknown[] = [];
    const { client, leave } = await startForwarding({
      local: async (target) => {
        await go.promise;
        const connecting = target.connect();
        connecting.catch((error: unknown) => outcomes.push(error));
        return connecting;
      },
    });
    client.sendPacket(directTcpip("127.0.0.1", port));
    await handled(client);
    client.reset();
    await leave();
    go.resolve();
    await vi.waitFor(() => expect(outcomes).toHaveLength(1));
    expect(sockets).toEqual([]);
  });

  it.each(["the client is gone", "the time is over"])("is closed where it comes when %s", async (why) => {
    const { port, sockets } = await listeningTarget();
    const go = new Deferred();
    const isGone = why === "the client is gone";
    const { client, attacked, leave } = await startForwarding({
      connectTimeout: isGone ? 30 : 0.02,
      local: async () => {
        await go.promise;
        const socket = connect(port, "127.0.0.1");
        await once(socket, "connect");
        return socket;
      },
    });
    client.sendPacket(directTcpip("127.0.0.1", port));
    client.sendPacket(directTcpip("127.0.0.1", port));
    if (isGone) {
      await handled(client);
      client.reset();
      await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    } else {
      for (let index = 0; index < 2; index++) await client.expect(M.CHANNEL_OPEN_FAILURE);
    }
    go.resolve();
    await vi.waitFor(() => expect(sockets.map(({ closed }) => closed)).toEqual([true, true]));
    await leave();
  });
});

function failing(stream: Duplex): Duplex {
  setImmediate(() => stream.emit("error", new Error("broken")));
  stream.once("close", () => setImmediate(() => stream.emit("error", new Error("again"))));
  return stream;
}
