import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import { channelClose, channelOpen, infoResponse, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { plausibleMessage } from "./plausible-message.js";

/** Decides on channels of type "slow" never. */
class SlowServer extends TargetServer {
  override checkChannelRequest(kind: string) {
    return kind === "slow" ? new Promise<number>(() => {}) : super.checkChannelRequest(kind);
  }
}

/** Channels of which a reply may speak, each with how it comes about and its number. */
const channels: Readonly<Record<string, (client: PacketClient) => Promise<number>>> = {
  "no channel": async () => 0,
  "an open channel": async (client) => (await client.openSession()).id,
  "a closed channel": async (client) => {
    const { id } = await client.openSession();
    client.sendPacket(channelClose(id));
    await client.expect(M.CHANNEL_CLOSE);
    return id;
  },
  "a channel that is being decided on": async (client) => {
    const { id } = await client.openSession();
    client.sendPacket(channelOpen({ kind: "slow" }));
    return id + 1;
  },
  "a channel that was refused": async (client) => {
    const { id } = await client.openSession();
    client.sendPacket(channelOpen({ kind: "x" }));
    await client.expect(M.CHANNEL_OPEN_FAILURE);
    return id + 1;
  },
  "channel 2^31 - 1": async () => 2 ** 31 - 1,
  "channel 2^31": async () => 2 ** 31,
  "channel 2^32 - 1": async () => 2 ** 32 - 1,
};

describe.each(Object.entries(channels))("a reply about %s that nobody asked for", (_, come) => {
  async function start() {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.login();
    const id = await come(client);
    await expectAnswer(client, "arrived");
    attacked.forgetCalls();
    return { attacked, client, id };
  }

  it.each([
    ["CHANNEL_OPEN_CONFIRMATION", M.CHANNEL_OPEN_CONFIRMATION],
    ["CHANNEL_OPEN_FAILURE", M.CHANNEL_OPEN_FAILURE],
  ])("changes nothing if it is to a request, and ends the connection as %s", async (_name, number) => {
    const { attacked, client, id } = await start();
    client.sendPacket(plausibleMessage(M.CHANNEL_SUCCESS, id));
    client.sendPacket(plausibleMessage(M.CHANNEL_FAILURE, id));
    await expectAnswer(client, "still there");
    client.sendPacket(plausibleMessage(number, id));
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });
});

it("answers to a question that come after the login are passed over, however many", async () => {
  const attacked = await Attacked.start(new TargetServer());
  const client = await attacked.login();
  attacked.forgetCalls();
  for (let index = 0; index < 1_000; index++) client.sendPacket(infoResponse(["x"]));
  await expectAnswer(client, "still there");
  expect(attacked.callNames).toEqual([]);
  await client.close();
  await attacked.expectUnharmed();
});

async function expectAnswer(client: PacketClient, text: string): Promise<void> {
  client.sendPacket(ping(text));
  expect((await client.expect(M.PONG)).subarray(5).toString()).toBe(text);
}
