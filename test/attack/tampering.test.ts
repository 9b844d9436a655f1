import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { sealPacket } from "../support/packet-framing.js";
import { execRequest, ignore, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { PROTOCOL_ERROR, MAC_ERROR } = DisconnectReason;

/** Every cipher that is offered, those without a tag of their own with every MAC. */
const suites = [...cipherAlgorithms.values()].flatMap(({ name, aead }) =>
  aead ? [[name, "none"] as const] : [...macAlgorithms.keys()].map((mac) => [name, mac] as const),
);

/** Bytes enough for what a changed length field may claim. */
const FILLER = 1024;

describe.each(suites)("on a line under %s and %s,", (cipher, mac) => {
  const options = { cipher: [cipher], ...(mac === "none" ? {} : { mac: [mac] }) };

  async function start() {
    const attacked = await Attacked.start(new TargetServer());
    return { attacked, ...(await running(attacked)) };
  }

  async function running(attacked: Attacked): Promise<{ client: PacketClient; channel: number }> {
    const client = await attacked.login(options);
    const { id } = await client.openSession();
    attacked.forgetCalls();
    return { client, channel: id };
  }

  async function expectEnd(attacked: Attacked, client: PacketClient): Promise<void> {
    await expectNothingRun(attacked, client);
    await attacked.expectUnharmed();
  }

  async function expectNothingRun(attacked: Attacked, client: PacketClient): Promise<void> {
    const { disconnect } = await client.waitEnd();
    expect([PROTOCOL_ERROR, MAC_ERROR]).toContain(disconnect?.reason);
    expect(attacked.callNames).toEqual([]);
  }

  it("a bit that is changed in any byte of the length runs nothing", async () => {
    const attacked = await Attacked.start(new TargetServer());
    for (const position of [0, 1, 2, 3]) {
      const { client, channel } = await running(attacked);
      client.sendPacket(execRequest(channel, "hello"), {
        tamper: (packet) => (packet[position] = (packet[position] ?? 0) ^ 1),
      });
      // The second byte from the left adds 64 KiB.
      client.sendRaw(randomBytes(position === 1 ? 65_536 + FILLER : FILLER));
      await expectNothingRun(attacked, client);
    }
    await attacked.expectUnharmed();
  });

  const parts: Readonly<Record<string, (length: number, tagLength: number) => number>> = {
    "the padding length": () => 4,
    "the message number": () => 5,
    "the payload": () => 12,
    "the padding": (length, tagLength) => length - tagLength - 1,
    "the tag's first byte": (length, tagLength) => length - tagLength,
    "the tag's last byte": (length) => length - 1,
  };
  it("a bit that is changed in any other part is a wrong MAC and runs nothing", async () => {
    const attacked = await Attacked.start(new TargetServer());
    for (const [what, position] of Object.entries(parts)) {
      const { client, channel } = await running(attacked);
      const { tagLength } = client.sealer;
      client.sendPacket(execRequest(channel, "hello"), {
        tamper: (packet) => {
          const at = position(packet.length, tagLength);
          packet[at] = (packet[at] ?? 0) ^ 0x80;
        },
      });
      expect([what, (await client.waitDisconnect()).reason]).toEqual([what, MAC_ERROR]);
      expect(attacked.callNames).toEqual([]);
    }
    await attacked.expectUnharmed();
  });

  it("a packet that comes again runs nothing", async () => {
    const { attacked, client, channel } = await start();
    const packets: Buffer[] = [];
    client.sendPacket(execRequest(channel, "hold"), { tamper: (packet) => packets.push(Buffer.from(packet)) });
    await client.expect(M.CHANNEL_SUCCESS);
    attacked.forgetCalls();
    for (const packet of packets) client.sendRaw(packet);
    client.sendRaw(randomBytes(FILLER));
    await expectEnd(attacked, client);
  });

  it("packets that come in another order run nothing", async () => {
    const { attacked, client, channel } = await start();
    const next = client.lastSequenceNumber + 1;
    const packets = [ignore("first"), execRequest(channel, "hello")].map((payload, index) =>
      sealPacket(client.sealer, next + index, payload),
    );
    for (const packet of packets.reverse()) client.sendRaw(packet);
    client.sendRaw(randomBytes(FILLER));
    await expectEnd(attacked, client);
  });

  it("a packet that is missing is noticed with the next", async () => {
    const { attacked, client, channel } = await start();
    const next = client.lastSequenceNumber + 1;
    sealPacket(client.sealer, next, ignore("lost"));
    client.continueCountingFrom(next + 1);
    client.sendPacket(execRequest(channel, "hello"));
    client.sendRaw(randomBytes(FILLER));
    await expectEnd(attacked, client);
  });

  it("a packet of an earlier exchange is not one of the next", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port, options);
    const old: Buffer[] = [];
    client.sendPacket(ping("x"), { tamper: (packet) => old.push(Buffer.from(packet)) });
    await client.expect(M.PONG);
    await client.exchangeKeys();
    for (const packet of old) client.sendRaw(packet);
    client.sendRaw(randomBytes(FILLER));
    await expectEnd(attacked, client);
  });
});
