import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { PacketClient } from "../support/packet-client.js";
import { message, noneRequest, passwordRequest, serviceRequest } from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

const { SERVICE_NOT_AVAILABLE, PROTOCOL_ERROR } = DisconnectReason;

describe("service requests", () => {
  const names = ["", "ssh-connection", "ssh-userauth2", "SSH-USERAUTH", "ssh-userauth\0", "x".repeat(100_000)];
  it.each(names.map((name) => [name.slice(0, 40), name]))("for %j are refused", async (_, name) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port);
    client.sendPacket(serviceRequest(name));
    expect((await client.waitDisconnect()).reason).toBe(SERVICE_NOT_AVAILABLE);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });

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

  it("after the login mean nothing, and are answered so: Conch sends one after each key exchange", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    for (const name of ["ssh-userauth", "ssh-connection"]) {
      client.sendPacket(serviceRequest(name));
      expect((await client.nextPacket())[0]).toBe(MessageNumber.UNIMPLEMENTED);
    }
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
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

describe("extension info", () => {
  const extInfo = (count: number, ...strings: readonly string[]): Buffer => {
    const writer = new Writer().writeByte(MessageNumber.EXT_INFO).writeUint32(count);
    for (const text of strings) writer.writeString(text);
    return writer.toBuffer();
  };

  it.each([
    ["2^32 - 1 extensions that are not there", extInfo(2 ** 32 - 1)],
    ["a name without a value", extInfo(1, "name")],
    ["bytes after it", extInfo(0, "more")],
    ["no count", message(MessageNumber.EXT_INFO)],
  ])("with %s ends the connection", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port);
    client.sendPacket(payload);
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });

  it("with names that nobody knows, or that every object has, is passed over", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port);
    client.sendPacket(extInfo(3, "no-such-extension", "x", "__proto__", "x", "server-sig-algs", "none"));
    await client.requestService("ssh-userauth");
    await client.close();
    await attacked.expectUnharmed();
  });
});
