import { constants, deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressionAlgorithms } from "../../src/crypto/compression/registry.js";
import { DisconnectReason, MAX_PACKET_LENGTH, MessageNumber } from "../../src/protocol/constants.js";
import { ignore, passwordRequest, ping } from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { MIB } from "./memory.js";

const { COMPRESSION_ERROR } = DisconnectReason;
const options = { compression: ["zlib@openssh.com"] };

function compressor() {
  const stream = compressionAlgorithms.get("zlib@openssh.com")?.createCompressor();
  if (stream === undefined) throw new Error("no compression");
  return stream;
}

describe("delayed compression", () => {
  it("is not in force before authentication", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating(options);
    client.sendUncompressed(compressor().compress(passwordRequest(USERNAME, PASSWORD)));
    // What starts a zlib stream is an unassigned message number.
    expect((await client.nextPacket())[0]).toBe(MessageNumber.UNIMPLEMENTED);
    expect(attacked.callNames).toEqual([]);
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("starts anew with new keys", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login(options);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.exchangeKeys();
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("stops at a packet that would swell beyond the largest, before it has", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login(options);
    // By zlib itself, which is quicker at it.
    const bomb = deflateSync(ignore(Buffer.alloc(64 * MIB)), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(bomb.length).toBeLessThan(MAX_PACKET_LENGTH);
    const before = attacked.memoryInUse();
    const residentBefore = process.memoryUsage().rss;
    client.sendUncompressed(bomb);
    expect((await client.waitDisconnect()).reason).toBe(COMPRESSION_ERROR);
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    expect(process.memoryUsage().rss - residentBefore).toBeLessThan(64 * MIB);
    await attacked.expectUnharmed();
  });

  it("stops at a packet that is one byte too large and takes the largest", async () => {
    const attacked = await Attacked.start(new TargetServer());
    for (const [length, taken] of [
      [MAX_PACKET_LENGTH / 2, true],
      [MAX_PACKET_LENGTH + 1, false],
    ] as const) {
      const client = await attacked.login(options);
      client.sendPacket(ignore("x".repeat(length - 5)));
      client.sendPacket(ping("x"));
      const answer = await client.nextPacket();
      expect(answer[0]).toBe(taken ? MessageNumber.PONG : MessageNumber.DISCONNECT);
      client.reset();
    }
    await attacked.expectUnharmed();
  });

  it.each([
    ["bytes that are no zlib stream", Buffer.alloc(100, 0xff)],
    ["a wrong header", Buffer.from("1234567890", "hex")],
    ["a dictionary that nobody has", Buffer.from("78bb00000000", "hex")],
    ["a stream that ends", deflateSync(ping("x"))],
    ["a stream that ends, and more", Buffer.concat([deflateSync(ping("x")), deflateSync(ping("x"))])],
    ["a stream that yields nothing", compressor().compress(Buffer.alloc(0))],
  ])("that gets %s ends the connection", async (_, payload) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login(options);
    client.sendUncompressed(payload);
    client.sendPacket(ping("y"));
    expect([COMPRESSION_ERROR, DisconnectReason.PROTOCOL_ERROR]).toContain((await client.waitDisconnect()).reason);
    await attacked.expectUnharmed();
  });
});
