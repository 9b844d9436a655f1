import { describe, expect, it, vi } from "vitest";
import type { Channel } from "../../src/index.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import type { OpenedChannel, PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelExtendedData,
  channelRequest,
  execRequest,
  ping,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { CHANNEL_CLOSE, CHANNEL_SUCCESS, PONG } = MessageNumber;
const { PROTOCOL_ERROR } = DisconnectReason;

async function start(): Promise<{ attacked: Attacked; client: PacketClient }> {
  const attacked = await Attacked.start(new TargetServer());
  return { attacked, client: await attacked.login() };
}

async function expectEnd(client: PacketClient, attacked: Attacked): Promise<void> {
  const { disconnect } = await client.waitEnd();
  expect(disconnect?.reason).toBe(PROTOCOL_ERROR);
  await attacked.expectUnharmed();
}

/** A channel on which a program holds its end open and reads nothing. */
async function hold(
  client: PacketClient,
  open: Parameters<PacketClient["openSession"]>[0] = {},
): Promise<OpenedChannel> {
  const channel = await client.openSession(open);
  client.sendPacket(execRequest(channel.id, "hold"));
  await client.expect(CHANNEL_SUCCESS);
  return channel;
}

describe("messages for channels that are not there", () => {
  const make: readonly (readonly [what: string, message: (channel: number) => Buffer])[] = [
    ["data", (channel) => channelData(channel, "x")],
    ["extended data", (channel) => channelExtendedData(channel, 1, "x")],
    ["window", (channel) => windowAdjust(channel, 1)],
    ["EOF", channelEof],
    ["a request", (channel) => execRequest(channel, "hello")],
    ["an unknown request", (channel) => channelRequest(channel, "no-such-request", "want-reply")],
  ];

  // An adjustment may cross our CLOSE; it changes nothing for a channel that was never open either.
  it.each([1, 2 ** 31, 2 ** 32 - 1])("number %i: a window is passed over", async (number) => {
    const { attacked, client } = await start();
    await client.openSession();
    client.sendPacket(windowAdjust(number, 2 ** 32 - 1));
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each(make)("closed by the server but not yet by the client: %s is passed over", async (_, message) => {
    const { attacked, client } = await start();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "hello"));
    await client.expect(CHANNEL_CLOSE, {
      skip: [CHANNEL_SUCCESS, MessageNumber.CHANNEL_DATA, MessageNumber.CHANNEL_REQUEST, MessageNumber.CHANNEL_EOF],
    });
    attacked.forgetCalls();
    client.sendPacket(message(id));
    client.sendPacket(channelClose(id));
    expect((await client.exec("hello")).exitStatus).toBe(0);
    expect(attacked.callNames.filter((name) => name === "checkChannelExecRequest")).toHaveLength(1);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("windows", () => {
  it("that overflow in small steps end the connection", async () => {
    const { attacked, client } = await start();
    const { id } = await client.openSession({ window: 0 });
    for (let step = 0; step < 3; step++) client.sendPacket(windowAdjust(id, 2 ** 31));
    await expectEnd(client, attacked);
  });

  it("may grow by nothing, and to the largest", async () => {
    const { attacked, client } = await start();
    const { id } = await client.openSession({ window: 1 });
    client.sendPacket(windowAdjust(id, 0));
    client.sendPacket(windowAdjust(id, 2 ** 32 - 2));
    client.sendPacket(ping("x"));
    await client.expect(PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("let empty data through, any number of times", async () => {
    const { attacked, client } = await start();
    const { id } = await hold(client);
    const empty = channelData(id, "");
    await client.flood(() => empty, 10_000);
    client.sendPacket(ping("x"));
    await client.expect(PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("with data whose length is a lie end the connection", async () => {
    const { attacked, client } = await start();
    const { id } = await hold(client);
    const data = channelData(id, "data");
    data.writeUInt32BE(2 ** 32 - 1, 5);
    client.sendPacket(data);
    await expectEnd(client, attacked);
  });
});

describe("the end of a channel", () => {
  it.each([
    ["data after EOF", (id: number) => [channelEof(id), channelData(id, "x")]],
    ["extended data after EOF", (id: number) => [channelEof(id), channelExtendedData(id, 1, "x")]],
    ["a second CLOSE", (id: number) => [channelClose(id), channelClose(id)]],
    ["data after CLOSE", (id: number) => [channelClose(id), channelData(id, "x")]],
    ["EOF after CLOSE", (id: number) => [channelClose(id), channelEof(id)]],
  ])("%s ends the connection", async (_, messages) => {
    const { attacked, client } = await start();
    const { id } = await hold(client);
    for (const message of messages(id)) client.sendPacket(message);
    await expectEnd(client, attacked);
  });

  it("by CLOSE without EOF is answered by CLOSE, and the program hears of it", async () => {
    const { attacked, client } = await start();
    const { id } = await hold(client);
    const [channel] = attacked.server.held;
    client.sendPacket(channelClose(id));
    await client.expect(CHANNEL_CLOSE, { skip: [MessageNumber.CHANNEL_EOF] });
    await vi.waitFor(() => expect(channel?.signal.aborted).toBe(true));
    await vi.waitFor(() => expect(attacked.calls.map(({ name }) => name)).toContain("onChannelClosed"));
    await client.close();
    await attacked.expectUnharmed();
  });

  it("while the hook is still deciding leaves nothing behind", async () => {
    const decision = new Deferred<boolean>();
    class SlowServer extends TargetServer {
      override checkChannelExecRequest(channel: Channel, command: Buffer) {
        if (command.toString() !== "slow") return super.checkChannelExecRequest(channel, command);
        this.held.push(channel);
        return decision.promise;
      }
    }
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "slow"));
    client.sendPacket(channelClose(id));
    await client.expect(CHANNEL_CLOSE, { skip: [MessageNumber.CHANNEL_EOF] });
    const [channel] = attacked.server.held;
    decision.resolve(true);
    channel?.send("too late");
    channel?.sendExitStatus(0);
    channel?.close();
    client.sendPacket(ping("x"));
    expect((await client.nextPacket())[0]).toBe(PONG);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("with its connection, while the hook is still deciding", async () => {
    const decision = new Deferred<boolean>();
    class SlowServer extends TargetServer {
      override checkChannelExecRequest(channel: Channel, command: Buffer) {
        if (command.toString() !== "slow") return super.checkChannelExecRequest(channel, command);
        this.held.push(channel);
        return decision.promise.then((answer) => {
          channel.send("too late");
          channel.close();
          return answer;
        });
      }
    }
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "slow"));
    await vi.waitFor(() => expect(attacked.server.held).toHaveLength(1));
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    expect(attacked.server.held[0]?.signal.aborted).toBe(true);
    decision.resolve(true);
    await attacked.expectUnharmed();
  });
});

describe("one slow channel", () => {
  it("delays no other", async () => {
    class SlowServer extends TargetServer {
      override checkChannelExecRequest(channel: Channel, command: Buffer) {
        return command.toString() === "slow"
          ? new Promise<boolean>(() => {})
          : super.checkChannelExecRequest(channel, command);
      }
    }
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.login();
    const slow = await client.openSession();
    client.sendPacket(execRequest(slow.id, "slow"));
    client.sendPacket(channelRequest(slow.id, "env", "no-reply", Buffer.from("00000001410000000142", "hex")));
    for (let round = 0; round < 5; round++) expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });
});
