import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelExtendedData,
  channelOpen,
  channelRequest,
  execRequest,
  ping,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { PROTOCOL_ERROR } = DisconnectReason;

const messages: readonly (readonly [what: string, message: (channel: number) => Buffer])[] = [
  ["data", (channel) => channelData(channel, "x")],
  ["extended data", (channel) => channelExtendedData(channel, 1, "x")],
  ["EOF", channelEof],
  ["CLOSE", channelClose],
  ["a program", (channel) => execRequest(channel, "hello")],
  ["an unknown request", (channel) => channelRequest(channel, "x", "no-reply")],
];

/** Decides on channels of type "slow" never. */
class SlowServer extends TargetServer {
  override checkChannelRequest(kind: string) {
    return kind === "slow" ? new Promise<number>(() => {}) : super.checkChannelRequest(kind);
  }
}

async function start(): Promise<{ attacked: Attacked; client: PacketClient }> {
  const attacked = await Attacked.start(new TargetServer());
  const client = await attacked.login();
  attacked.forgetCalls();
  return { attacked, client };
}

describe("a channel number", () => {
  const numbers: Readonly<Record<string, (client: PacketClient, attacked: Attacked) => Promise<number>>> = {
    "of a channel that was refused": async (client) => {
      client.sendPacket(channelOpen({ kind: "x" }));
      await client.expect(M.CHANNEL_OPEN_FAILURE);
      return 0;
    },
    "of somebody else's channel": async (_client, attacked) => {
      const other = await attacked.login();
      await other.openSession();
      const { id } = await other.openSession();
      other.reset();
      return id;
    },
    "that is the client's own": async (client) => {
      await client.openSession({ senderChannel: 77 });
      return 77;
    },
    "with the sign turned": async (client) => {
      await client.openSession();
      return 2 ** 31;
    },
    "at the end of the signed ones": async () => 2 ** 31 - 1,
    "at the end of all": async () => 2 ** 32 - 1,
    "that comes next": async (client) => (await client.openSession()).id + 1,
    "of a channel that both sides have closed": async (client) => {
      const { id } = await client.openSession();
      client.sendPacket(channelClose(id));
      await client.expect(M.CHANNEL_CLOSE);
      return id;
    },
    "of a channel that is not decided on yet": async (client) => {
      const { id } = await client.openSession();
      client.sendPacket(channelOpen({ kind: "slow" }));
      return id + 1;
    },
  };
  it.each(Object.entries(numbers))("%s ends the connection and runs nothing", async (_, number) => {
    const attacked = await Attacked.start(new SlowServer());
    for (const [what, message] of messages) {
      const client = await attacked.login();
      const id = await number(client, attacked);
      // Whatever hook is asked on the way has been asked.
      client.sendPacket(ping("x"));
      await client.expect(M.PONG);
      attacked.forgetCalls();
      client.sendPacket(message(id));
      expect([what, (await client.waitDisconnect()).reason]).toEqual([what, PROTOCOL_ERROR]);
      expect(attacked.callNames).toEqual([]);
    }
    await attacked.expectUnharmed();
  });

  it("is never given twice", async () => {
    const { attacked, client } = await start();
    const seen = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const { id } = await client.openSession({ senderChannel: 3 });
      seen.add(id);
      client.sendPacket(channelClose(id));
      await client.expect(M.CHANNEL_CLOSE);
    }
    expect(seen.size).toBe(100);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("a window", () => {
  it.each([
    [2 ** 32 - 1, 1],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 31, 2 ** 31],
    [1, 2 ** 32 - 1],
    [2 ** 31 - 1, 2 ** 31 + 1],
  ])("of %i that grows by %i ends the connection", async (window, more) => {
    const { attacked, client } = await start();
    const { id } = await client.openSession({ window });
    client.sendPacket(windowAdjust(id, more));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });

  it.each([1, 2, 7, 100])("that opens by %i bytes at a time gets its output whole", async (step) => {
    const { attacked, client } = await start();
    const { id } = await client.openSession({ window: 0 });
    client.sendPacket(execRequest(id, "hello"));
    await client.expect(M.CHANNEL_SUCCESS);
    const output: Buffer[] = [];
    const wanted = "Executed: hello\n";
    while (Buffer.concat(output).length < wanted.length) {
      client.sendPacket(windowAdjust(id, step));
      const data = (await client.expect(M.CHANNEL_DATA)).subarray(9);
      expect(data.length).toBeLessThanOrEqual(step);
      output.push(data);
    }
    expect(Buffer.concat(output).toString()).toBe(wanted);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([1, 2, 3, 8, 15])("with packets of %i bytes at most gets no larger ones", async (maxPacket) => {
    const { attacked, client } = await start();
    const channel = await client.openSession({ maxPacket });
    client.sendPacket(execRequest(channel.id, "hello"));
    await client.expect(M.CHANNEL_SUCCESS);
    let length = 0;
    while (length < "Executed: hello\n".length) {
      const data = (await client.expect(M.CHANNEL_DATA)).subarray(9);
      expect(data.length).toBeLessThanOrEqual(maxPacket);
      length += data.length;
    }
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each<[what: string, send: (client: PacketClient, id: number, window: number, maxPacket: number) => void]>([
    [
      "data one byte over it",
      (client, id, window, maxPacket) => {
        for (let left = window; left > 0; left -= maxPacket) {
          client.sendPacket(channelData(id, Buffer.alloc(Math.min(left, maxPacket))));
        }
        client.sendPacket(channelData(id, "x"));
      },
    ],
    [
      "data over the packet size, one byte over it",
      (client, id, window, maxPacket) => {
        let left = window;
        for (; left > 2 * maxPacket; left -= maxPacket) client.sendPacket(channelData(id, Buffer.alloc(maxPacket)));
        client.sendPacket(channelData(id, Buffer.alloc(left + 1)));
      },
    ],
  ])("is not overrun: %s", async (_, send) => {
    const { attacked, client } = await start();
    const { id, window, maxPacket } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(M.CHANNEL_SUCCESS);
    send(client, id, window, maxPacket);
    const { disconnect } = await client.waitEnd();
    expect(disconnect?.reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });

  it("is used up by data of every kind together", async () => {
    const { attacked, client } = await start();
    const { id, window, maxPacket } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(M.CHANNEL_SUCCESS);
    for (let left = window; left > 0; left -= maxPacket) client.sendPacket(channelData(id, Buffer.alloc(maxPacket)));
    client.sendPacket(channelExtendedData(id, 1, "x"));
    expect((await client.waitEnd()).disconnect?.reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });
});
