import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import { channelClose, channelOpen, infoResponse, message, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { plausibleMessage } from "./plausible-message.js";

const { PROTOCOL_ERROR } = DisconnectReason;

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

async function expectEnd(attacked: Attacked<TargetServer>, client: PacketClient): Promise<void> {
  expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
  expect(attacked.callNames).toEqual([]);
  await attacked.expectUnharmed();
}

async function expectNothing(attacked: Attacked<TargetServer>, client: PacketClient): Promise<void> {
  client.sendPacket(ping("still there"));
  await client.expect(M.PONG);
  expect(attacked.callNames).toEqual([]);
  await client.close();
  await attacked.expectUnharmed();
}

describe.each(Object.entries(channels))("a reply about %s", (_, come) => {
  it.each([
    ["CHANNEL_OPEN_CONFIRMATION", M.CHANNEL_OPEN_CONFIRMATION],
    ["CHANNEL_OPEN_FAILURE", M.CHANNEL_OPEN_FAILURE],
  ])("that nobody asked for ends the connection: %s", async (_name, number) => {
    const { attacked, client, id } = await start();
    client.sendPacket(plausibleMessage(number, id));
    await expectEnd(attacked, client);
  });

  it.each([
    ["CHANNEL_SUCCESS", M.CHANNEL_SUCCESS],
    ["CHANNEL_FAILURE", M.CHANNEL_FAILURE],
  ])("that nobody asked for changes nothing: %s", async (_name, number) => {
    const { attacked, client, id } = await start();
    client.sendPacket(plausibleMessage(number, id));
    await expectNothing(attacked, client);
  });

  async function start() {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.login();
    const id = await come(client);
    client.sendPacket(ping("arrived"));
    await client.expect(M.PONG);
    attacked.forgetCalls();
    return { attacked, client, id };
  }
});

describe("a reply that nobody asked for", () => {
  it.each([
    ["REQUEST_SUCCESS", message(M.REQUEST_SUCCESS)],
    ["REQUEST_SUCCESS with a port", new Writer().writeByte(M.REQUEST_SUCCESS).writeUint32(2222).toBuffer()],
    ["REQUEST_FAILURE", message(M.REQUEST_FAILURE)],
    ["PONG", message(M.PONG, "x")],
  ])("changes nothing: %s", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    attacked.forgetCalls();
    client.sendPacket(payload);
    await expectNothing(attacked, client);
  });

  it.each([
    ["SERVICE_ACCEPT", message(M.SERVICE_ACCEPT, "ssh-connection")],
    ["USERAUTH_FAILURE", plausibleMessage(M.USERAUTH_FAILURE, 0)],
    ["USERAUTH_SUCCESS", message(M.USERAUTH_SUCCESS)],
    ["USERAUTH_BANNER", plausibleMessage(M.USERAUTH_BANNER, 0)],
    ["USERAUTH_INFO_REQUEST", message(M.USERAUTH_INFO_REQUEST, "x")],
    ["NEWKEYS", message(M.NEWKEYS)],
    ["a key exchange's last message", message(M.KEX_ECDH_REPLY, "x")],
  ])("ends a connection that is logged in: %s", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    attacked.forgetCalls();
    client.sendPacket(payload);
    await expectEnd(attacked, client);
  });

  it.each([
    ["REQUEST_SUCCESS", message(M.REQUEST_SUCCESS)],
    ["USERAUTH_SUCCESS", message(M.USERAUTH_SUCCESS)],
    ["USERAUTH_FAILURE", plausibleMessage(M.USERAUTH_FAILURE, 0)],
    ["USERAUTH_INFO_REQUEST", message(M.USERAUTH_INFO_REQUEST, "x")],
    ["PONG", message(M.PONG, "x")],
    ["SERVICE_ACCEPT", message(M.SERVICE_ACCEPT, "ssh-connection")],
    ["CHANNEL_OPEN_CONFIRMATION", plausibleMessage(M.CHANNEL_OPEN_CONFIRMATION, 0)],
  ])("ends a connection before its login: %s", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    attacked.forgetCalls();
    client.sendPacket(payload);
    await expectEnd(attacked, client);
  });

  it("is passed over where it is an answer that comes after the login: INFO_RESPONSE", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    attacked.forgetCalls();
    for (let index = 0; index < 1_000; index++) client.sendPacket(infoResponse(["x"]));
    await expectNothing(attacked, client);
  });
});
