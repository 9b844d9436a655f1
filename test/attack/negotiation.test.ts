import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { initPayload, startClient } from "../support/kex-client.js";
import { PacketClient } from "../support/packet-client.js";
import { type KexInit, message, ping } from "../support/packet-messages.js";
import type { PacketClientOptions } from "../support/packet-transport.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { KEY_EXCHANGE_FAILED, PROTOCOL_ERROR } = DisconnectReason;

async function greeted(port: number, options: PacketClientOptions = {}): Promise<PacketClient> {
  const client = await PacketClient.connect(port, options);
  await client.exchangeIdentifications();
  await client.readServerKexInit();
  return client;
}

/** The connection works from here on. */
async function expectAlive(client: PacketClient): Promise<void> {
  client.sendPacket(ping("alive"));
  await client.expect(MessageNumber.PONG);
}

describe("nothing in common", () => {
  const unknown = ["no-such-algorithm"];
  const aes = ["aes128-ctr"];
  it.each<[kind: RegExp, change: Partial<KexInit>]>([
    [/key exchange/i, { kex: unknown }],
    [/key exchange/i, { kex: [] }],
    [/key exchange/i, { kex: ["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1"] }],
    [/key exchange/i, { kex: ["ext-info-s"] }],
    [/key exchange/i, { kex: ["kex-strict-s-v00@openssh.com"] }],
    [/host key/i, { hostKey: unknown }],
    [/host key/i, { hostKey: [] }],
    [/host key/i, { hostKey: ["ssh-rsa", "ssh-dss"] }],
    [/cipher/i, { cipherClientToServer: unknown }],
    [/cipher/i, { cipherServerToClient: unknown }],
    [/cipher/i, { cipherClientToServer: ["none"] }],
    [/cipher/i, { cipherServerToClient: ["3des-cbc", "aes128-cbc", "arcfour"] }],
    [/mac/i, { cipherClientToServer: aes, macClientToServer: unknown }],
    [/mac/i, { cipherServerToClient: aes, macServerToClient: [] }],
    [/mac/i, { cipherClientToServer: aes, macClientToServer: ["none"] }],
    [/mac/i, { cipherClientToServer: aes, macClientToServer: ["hmac-sha1", "hmac-md5"] }],
    [/compression/i, { compressionClientToServer: unknown }],
    [/compression/i, { compressionServerToClient: [] }],
    [/compression/i, { compressionClientToServer: ["zlib"] }],
  ])("%s %o", async (kind, change) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked.port);
    client.sendKexInit(change);
    const { reason, message } = await client.waitDisconnect();
    expect(reason).toBe(KEY_EXCHANGE_FAILED);
    expect(message).toMatch(kind);
    await attacked.expectUnharmed();
  });

  it("in a later exchange ends the connection too", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    client.sendKexInit({ cipherClientToServer: unknown });
    expect((await client.waitDisconnect()).reason).toBe(KEY_EXCHANGE_FAILED);
    await attacked.expectUnharmed();
  });
});

describe("odd lists", () => {
  it.each<[what: string, change: Partial<KexInit>]>([
    ["ends in a comma, as libssh 0.10 sends it", { cipherClientToServer: ["aes256-ctr", ""] }],
    ["has empty names", { kex: ["", "", "curve25519-sha256", "", ""], hostKey: ["", "ssh-ed25519"] }],
    ["has a name with a space", { macClientToServer: ["hmac sha2", "hmac-sha2-256"] }],
  ])("are taken as sshd takes them, and are in the exchange hash as they came: one %s", async (_, change) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked.port);
    client.sendKexInit(change);
    await client.agreeOnKeys();
    client.sendNewKeys();
    await client.requestService("ssh-userauth");
    await client.close();
    await attacked.expectUnharmed();
  });

  it("lists with thousands of names are looked through in no time", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const names = Array.from({ length: 10_000 }, (_, index) => `name-${index}`);
    const client = await greeted(attacked.port);
    client.sendKexInit({
      kex: [...names, "curve25519-sha256"],
      cipherClientToServer: [...names, "aes128-gcm@openssh.com"],
    });
    await client.agreeOnKeys();
    client.sendNewKeys();
    await expectAlive(client);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("a guessed first message", () => {
  it.each(["a wrong method", "a wrong host key", "nonsense"])(
    "that turns out wrong (%s) is passed over",
    async (what) => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await greeted(attacked.port, { kex: ["ecdh-sha2-nistp256", "curve25519-sha256"] });
      const { kex, hostKey } = client.serverKexInit;
      const preferred = [kex[0] ?? "", "ext-info-c"];
      client.sendKexInit({
        firstKexPacketFollows: true,
        ...(what === "a wrong host key" ? { kex: preferred, hostKey: ["rsa-sha2-512", hostKey[0] ?? ""] } : {}),
      });
      client.sendPacket(what === "nonsense" ? message(30) : startClient("ecdh-sha2-nistp256").init);
      await client.agreeOnKeys();
      client.sendNewKeys();
      await expectAlive(client);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it("that turns out right is used", async () => {
    const attacked = await Attacked.start(new TargetServer(), { algorithms: { kex: ["curve25519-sha256"] } });
    const client = await greeted(attacked.port);
    // `agreeOnKeys` sends the message: that it follows the KEXINIT at once is all there is to a right guess.
    client.sendKexInit({ firstKexPacketFollows: true });
    await client.agreeOnKeys();
    client.sendNewKeys();
    await expectAlive(client);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("does not cover a second one", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked.port, { kex: ["ecdh-sha2-nistp256"] });
    client.sendKexInit({ firstKexPacketFollows: true });
    client.sendPacket(message(30));
    client.sendPacket(message(30));
    expect([PROTOCOL_ERROR, KEY_EXCHANGE_FAILED]).toContain((await client.waitDisconnect()).reason);
    await attacked.expectUnharmed();
  });

  it("does not hide anything but the method's own message", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked.port, { kex: ["ecdh-sha2-nistp256"] });
    client.sendKexInit({ firstKexPacketFollows: true });
    client.sendPacket(message(MessageNumber.NEWKEYS));
    expect([PROTOCOL_ERROR, KEY_EXCHANGE_FAILED]).toContain((await client.waitDisconnect()).reason);
    await attacked.expectUnharmed();
  });
});

it("NEWKEYS with content ends the connection", async () => {
  const attacked = await Attacked.start(new TargetServer());
  const client = await greeted(attacked.port);
  client.sendKexInit();
  await client.agreeOnKeys();
  client.sendPacket(message(MessageNumber.NEWKEYS, "text"));
  expect([PROTOCOL_ERROR, KEY_EXCHANGE_FAILED]).toContain((await client.waitDisconnect()).reason);
  expect(attacked.callNames).toEqual([]);
  await attacked.expectUnharmed();
});

describe("public values that must be refused", () => {
  const hex = (text: string): Buffer => Buffer.from(text, "hex");
  /** Points of small order on Curve25519 and their other encodings (RFC 7748 §6.1, SafeCurves). */
  const lowOrder = [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ].map(hex);
  const anyPoint = startClient("ecdh-sha2-nistp256").init.subarray(5);
  const offCurve = Buffer.from(anyPoint);
  offCurve.writeUInt8((offCurve.at(-1) ?? 0) ^ 1, offCurve.length - 1);
  const mpint = (magnitude: string): Buffer => new Writer().writeByte(30).writeMpint(hex(magnitude)).toBuffer();
  const twoTo = (bits: number): string => `01${"00".repeat(bits / 8)}`;

  const values: readonly (readonly [kex: string, what: string, payload: Buffer])[] = [
    ...lowOrder.map(
      (point, index) => ["curve25519-sha256", `point of low order ${index}`, initPayload(point)] as const,
    ),
    ["curve25519-sha256", "31 bytes", initPayload(Buffer.alloc(31, 9))],
    ["curve25519-sha256", "33 bytes", initPayload(Buffer.alloc(33, 9))],
    ["curve25519-sha256", "no bytes", initPayload(Buffer.alloc(0))],
    ["curve25519-sha256", "a message without its string", message(30)],
    ["curve25519-sha256", "bytes after it", Buffer.concat([initPayload(Buffer.alloc(32, 9)), Buffer.alloc(1)])],
    ["ecdh-sha2-nistp256", "a point off the curve", initPayload(offCurve)],
    ["ecdh-sha2-nistp256", "the point at infinity", initPayload(Buffer.alloc(1))],
    ["ecdh-sha2-nistp256", "zeros", initPayload(Buffer.concat([hex("04"), Buffer.alloc(64)]))],
    ["ecdh-sha2-nistp256", "ones", initPayload(Buffer.concat([hex("04"), Buffer.alloc(64, 0xff)]))],
    ["ecdh-sha2-nistp256", "a point of another curve", startClient("ecdh-sha2-nistp384").init],
    ["ecdh-sha2-nistp384", "a point of another curve", startClient("ecdh-sha2-nistp256").init],
    ["ecdh-sha2-nistp521", "a cut point", startClient("ecdh-sha2-nistp521").init.subarray(0, -1)],
    ["mlkem768x25519-sha256", "only the classic value", initPayload(Buffer.alloc(32, 9))],
    ["mlkem768x25519-sha256", "one byte too few", initPayload(Buffer.alloc(1184 + 31, 9))],
    ["mlkem768x25519-sha256", "one byte too many", initPayload(Buffer.alloc(1184 + 33, 9))],
    ["mlkem768x25519-sha256", "coefficients out of range", initPayload(Buffer.alloc(1184 + 32, 0xff))],
    ["mlkem768x25519-sha256", "a classic value of low order", initPayload(Buffer.alloc(1184 + 32))],
    ["sntrup761x25519-sha512", "one byte too few", initPayload(Buffer.alloc(1158 + 31, 9))],
    ["sntrup761x25519-sha512", "one byte too many", initPayload(Buffer.alloc(1158 + 33, 9))],
    ["sntrup761x25519-sha512", "a classic value of low order", initPayload(Buffer.alloc(1158 + 32))],
    ["diffie-hellman-group14-sha256", "e = 0", mpint("00")],
    ["diffie-hellman-group14-sha256", "e = 1", mpint("01")],
    ["diffie-hellman-group14-sha256", "e over p", mpint(twoTo(2048))],
    ["diffie-hellman-group14-sha256", "a negative e", initPayload(hex("ff"))],
    ["diffie-hellman-group14-sha256", "a very long e", initPayload(Buffer.alloc(30_000, 0x7f))],
    ["diffie-hellman-group16-sha512", "e = 1", mpint("01")],
    ["diffie-hellman-group18-sha512", "e = 1", mpint("01")],
  ];

  const groupRequest = (minimum: number, preferred: number, maximum: number): Buffer =>
    new Writer().writeByte(34).writeUint32(minimum).writeUint32(preferred).writeUint32(maximum).toBuffer();
  const groups: readonly (readonly [what: string, payload: Buffer])[] = [
    ["the least over the most", groupRequest(4096, 4096, 2048)],
    ["the preferred out of range", groupRequest(2048, 8192, 4096)],
    ["nothing", groupRequest(0, 0, 0)],
    ["all too small", groupRequest(512, 512, 1024)],
    ["all too large", groupRequest(2 ** 31, 2 ** 32 - 1, 2 ** 32 - 1)],
    ["a value before a group", new Writer().writeByte(32).writeMpint(hex("05")).toBuffer()],
    ["the old request", new Writer().writeByte(30).writeUint32(2048).toBuffer()],
    ["a cut request", groupRequest(2048, 2048, 2048).subarray(0, -1)],
  ];
  const groupExchange = "diffie-hellman-group-exchange-sha256";
  const refused = [...values, ...groups.map(([what, payload]) => [groupExchange, what, payload] as const)];

  it.each([...new Set(refused.map(([kex]) => kex))])("%s", async (kex) => {
    const attacked = await Attacked.start(new TargetServer(), { algorithms: { kex: [kex, "curve25519-sha256"] } });
    for (const [, what, payload] of refused.filter(([method]) => method === kex)) {
      const client = await greeted(attacked.port, { kex: [kex] });
      client.sendKexInit();
      client.sendPacket(payload);
      expect([what, (await client.waitDisconnect()).reason]).toEqual([what, KEY_EXCHANGE_FAILED]);
    }
    await attacked.expectUnharmed();
  });
});
