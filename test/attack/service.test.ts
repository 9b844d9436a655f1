import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { message, noneRequest, passwordRequest, serviceRequest } from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

const { SERVICE_NOT_AVAILABLE, PROTOCOL_ERROR } = DisconnectReason;

describe("service requests", () => {
  it.each(["", "ssh-connection", "ssh-userauth2", "SSH-USERAUTH", "ssh-userauth\0", "x".repeat(100_000)])(
    "for %j are refused",
    async (name) => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await PacketClient.handshake(attacked.port);
      client.sendPacket(serviceRequest(name));
      expect((await client.waitDisconnect()).reason).toBe(SERVICE_NOT_AVAILABLE);
      expect(attacked.callNames).toEqual([]);
      await attacked.expectUnharmed();
    },
  );

  it.each([
    ["without a name", message(MessageNumber.SERVICE_REQUEST)],
    ["with a cut name", serviceRequest("ssh-userauth").subarray(0, -1)],
  ])("%s end the connection", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port);
    client.sendPacket(payload);
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });

  it.each([
    ["none", noneRequest(USERNAME)],
    ["password", passwordRequest(USERNAME, PASSWORD)],
  ])("have to come before an authentication request (%s)", async (_, request) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port);
    client.sendPacket(request);
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });
});
