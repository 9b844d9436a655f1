import { describe, expect, it } from "vitest";
import { DisconnectReason, MAX_PACKET_LENGTH, MessageNumber } from "../../src/protocol/constants.js";
import { isLong } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { type PacketShape, rightPadding } from "../support/packet-framing.js";
import { ignore, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { PROTOCOL_ERROR, MAC_ERROR } = DisconnectReason;

const aeads = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"];
const counters = ["aes128-ctr", "aes192-ctr", "aes256-ctr"];
const macs = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"];
/** Every cipher, those without a tag of their own with every MAC. */
const suites: readonly (readonly [cipher: string, mac: string])[] = [
  ...aeads.map((cipher) => [cipher, "hmac-sha2-256"] as const),
  ...counters.flatMap((cipher) => macs.map((mac) => [cipher, mac] as const)),
];

/** Connected, KEXINIT of the server read, nothing sent but the identification: packets are in clear. */
async function inClear(port: number): Promise<PacketClient> {
  const client = await PacketClient.connect(port);
  await client.exchangeIdentifications();
  await client.readServerKexInit();
  return client;
}

const badShapes: readonly (readonly [what: string, payload: Uint8Array, shape: PacketShape])[] = [
  ["packet_length 0", ignore(), { packetLength: 0 }],
  ["packet_length 1", ignore(), { packetLength: 1 }],
  ["packet_length 5", ignore(), { packetLength: 5 }],
  ["packet_length 2^31", ignore(), { packetLength: 2 ** 31 }],
  ["packet_length 2^31 - 1", ignore(), { packetLength: 2 ** 31 - 1 }],
  ["packet_length 2^32 - 1", ignore(), { packetLength: 2 ** 32 - 1 }],
  ["packet_length one block over 256 KiB", ignore(), { packetLength: MAX_PACKET_LENGTH + 16 }],
  ["packet_length one over 256 KiB", ignore(), { packetLength: MAX_PACKET_LENGTH + 1 }],
  ["a length that is no multiple of the block", ignore(), { padding: 5 }],
  ["padding_length 0", ignore("x".repeat(6)), { paddingLength: 0 }],
  ["padding_length 3", ignore("x".repeat(6)), { paddingLength: 3 }],
  ["padding_length over the packet", ignore(), { paddingLength: 255 }],
  ["an empty payload", new Uint8Array(), {}],
];

describe("packets in clear", () => {
  it("a bad shape ends the connection", async () => {
    const attacked = await Attacked.start(new TargetServer());
    for (const [what, payload, shape] of badShapes) {
      const client = await inClear(attacked.port);
      client.sendPacket(payload, shape);
      expect([what, (await client.waitDisconnect()).reason]).toEqual([what, PROTOCOL_ERROR]);
    }
    await attacked.expectUnharmed();
  });

  it.each([4, 5, 100, 1000])("an end after %i bytes of a packet", async (count) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await inClear(attacked.port);
    const packet = Buffer.alloc(count);
    packet.writeUInt32BE(0x7ff4);
    client.sendRaw(packet);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("does not set memory aside for a length that is only claimed", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const before = process.memoryUsage().arrayBuffers;
    const clients = await Promise.all(Array.from({ length: 50 }, () => inClear(attacked.port)));
    for (const client of clients) {
      const header = Buffer.alloc(5);
      header.writeUInt32BE(MAX_PACKET_LENGTH - 4);
      client.sendRaw(header);
    }
    await attacked.login().then((client) => client.close());
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    for (const client of clients) client.reset();
    await attacked.expectUnharmed();
  });
});

describe.each(suites.map((suite, which) => [...suite, which] as const))(
  "packets under %s, %s",
  (cipher, mac, which) => {
    // In the gate some under each, and all in clear.
    const shapes = badShapes.filter((_, index) => isLong || (index + which) % 5 === 0);
    const options = { cipher: [cipher], mac: [mac] };

    it("a bad shape ends the connection", async () => {
      const attacked = await Attacked.start(new TargetServer());
      for (const [what, payload, shape] of shapes) {
        const client = await PacketClient.handshake(attacked.port, options);
        client.sendPacket(payload, shape);
        const { disconnect } = await client.waitEnd();
        // A length that is a lie also moves the tag, so that either is found first.
        expect([PROTOCOL_ERROR, MAC_ERROR], what).toContain(disconnect?.reason);
      }
      await attacked.expectUnharmed();
    });

    it("the longest packet and the longest padding are taken", async () => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await PacketClient.handshake(attacked.port, options);
      const { sealer } = client;
      const short = ignore("x".repeat(20));
      const steps = Math.floor((255 - rightPadding(sealer, short.length)) / sealer.blockLength);
      client.sendPacket(short, { padding: rightPadding(sealer, short.length) + steps * sealer.blockLength });
      const longest = sealer.lengthIsAligned ? MAX_PACKET_LENGTH - 4 : MAX_PACKET_LENGTH;
      client.sendPacket(ignore("x".repeat(longest - 1 - 4 - 5)), { padding: 4 });
      client.sendPacket(ping("still here"));
      expect((await client.expect(MessageNumber.PONG)).subarray(5).toString()).toBe("still here");
      await client.close();
      await attacked.expectUnharmed();
    });
  },
);
