import { describe, expect, it } from "vitest";
import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { channelData, message, ping, readChannelData } from "../support/packet-messages.js";
import { EXT_INFO, HOST_KEY, MemoryClient, STRICT } from "./memory-client.js";

const { KEXINIT, KEX_ECDH_REPLY, NEWKEYS, CHANNEL_DATA, GLOBAL_REQUEST, PONG } = MessageNumber;

const protocolError = (text: string | RegExp, reason: number = DisconnectReason.PROTOCOL_ERROR) =>
  expect.objectContaining({ name: "ProtocolError", message: expect.stringMatching(text), reason });

/** A key whose signatures wait for `sign`. */
function gatedKey(): { readonly hostKey: HostKey; sign(): void; refuse(): void } {
  let settle: { resolve(): void; reject(error: Error): void } | undefined;
  const gate = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const { keyType, publicBlob, signatureAlgorithms } = HOST_KEY;
  return {
    hostKey: {
      keyType,
      publicBlob,
      signatureAlgorithms,
      sign: async (data) => {
        await gate;
        return HOST_KEY.sign(data);
      },
    },
    sign: () => settle?.resolve(),
    refuse: () => settle?.reject(new Error("no token")),
  };
}

/** As channels do it: only while the transport is ready, on with `writable`. Returns what was sent. */
function writeWhileReady(client: MemoryClient, count: number): Buffer[] {
  const sent: Buffer[] = [];
  for (let index = 0; index < count && client.server.ready; index++) {
    const data = Buffer.alloc(1000, index);
    const head = Buffer.alloc(9);
    head[0] = CHANNEL_DATA;
    head.writeUInt32BE(data.length, 5);
    client.server.sendData(head, [data]);
    sent.push(data);
  }
  return sent;
}

describe("Transport: new keys on a running connection", () => {
  it("are asked for by the server once it has sent enough", async () => {
    const client = await MemoryClient.running({ rekeyBytes: 20_000 });
    const sent = writeWhileReady(client, 100);
    expect(sent.length).toBeLessThan(25);
    expect(client.events).toEqual(["started"]);
    const received = await client.take();
    expect(received.map(([number]) => number)).toEqual([...sent.map(() => CHANNEL_DATA), KEXINIT]);
    await client.exchangeKeys();
    expect(client.events).toEqual(["started", "writable", "finished"]);
    expect(writeWhileReady(client, 5).length).toBe(5);
    expect(await client.takeNumbers()).toEqual([KEX_ECDH_REPLY, NEWKEYS, ...Array(5).fill(CHANNEL_DATA)]);
  });

  it("are asked for by the server once it has received enough", async () => {
    const client = await MemoryClient.running({ rekeyBytes: 20_000 });
    for (let index = 0; index < 30; index++) client.send(channelData(0, Buffer.alloc(1000)));
    expect(client.events).toEqual(["started"]);
    expect(client.messages.length).toBe(30);
  });

  it("are not asked for before authentication, and not twice", async () => {
    const client = await MemoryClient.connected({ rekeyBytes: 1 });
    client.server.rekey();
    expect(client.events).toEqual(["started", "writable", "finished"]);
    client.server.enter("authentication");
    client.server.rekey();
    client.send(ping("x"));
    expect(client.events.length).toBe(3);
    client.server.enter("running");
    client.server.rekey();
    client.server.rekey();
    expect(client.events.slice(3)).toEqual(["started"]);
    await client.take();
    await client.exchangeKeys();
    expect(client.failures).toEqual([]);
  });

  it("are exchanged over and over while data flows both ways, and no byte is lost", async () => {
    const client = await MemoryClient.running({ rekeyBytes: 8_000 });
    const sent: Buffer[] = [];
    const received: Buffer[] = [];
    let exchanges = 0;
    for (let turn = 0; turn < 60; turn++) {
      sent.push(...writeWhileReady(client, 3));
      client.send(channelData(0, Buffer.alloc(900, turn)));
      const payloads = await client.take();
      received.push(
        ...payloads.filter(([number]) => number === CHANNEL_DATA).map((payload) => readChannelData(payload)),
      );
      if (payloads.some(([number]) => number === KEXINIT)) {
        exchanges++;
        await client.exchangeKeys();
      }
    }
    expect(client.failures).toEqual([]);
    expect(exchanges).toBeGreaterThan(5);
    expect(received).toEqual(sent);
    expect(client.messages).toEqual(Array.from({ length: 60 }, (_, turn) => channelData(0, Buffer.alloc(900, turn))));
  });

  it("do not hinder the client before its own KEXINIT", async () => {
    const client = await MemoryClient.running();
    client.server.rekey();
    client.send(channelData(0, "still on its way"));
    client.send(ping("x"));
    expect(client.messages).toEqual([channelData(0, "still on its way")]);
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    await client.exchangeKeys();
    expect(await client.takeNumbers()).toEqual([KEX_ECDH_REPLY, NEWKEYS, PONG]);
  });

  it("take what clients on channels already send behind their KEXINIT", async () => {
    const client = await MemoryClient.running();
    client.sendKexInit();
    client.send(channelData(0, "x"));
    expect(client.failures).toEqual([]);
    expect(client.messages).toEqual([channelData(0, "x")]);
  });

  it("let messages wait, in order, but none of them in the exchange", async () => {
    const client = await MemoryClient.running();
    client.server.rekey();
    expect(client.server.ready).toBe(false);
    const waiting = Array.from({ length: 20 }, (_, index) => message(GLOBAL_REQUEST, `message ${index}`));
    for (const payload of waiting) client.server.send(payload);
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    client.sendKexInit();
    await client.sendMethod();
    const received = await client.take();
    expect(received.slice(0, 2).map(([number]) => number)).toEqual([KEX_ECDH_REPLY, NEWKEYS]);
    expect(received.slice(2)).toEqual(waiting);
    await client.sendNewKeys();
    expect(client.events).toEqual(["started", "writable", "finished"]);
  });

  it.each([1, 100, 30_000])("let no more wait than a bound, in messages of %i bytes", async (length) => {
    const client = await MemoryClient.running();
    client.server.rekey();
    let count = 0;
    for (; client.failures.length === 0 && count < 2_000_000; count++) client.server.send(Buffer.alloc(length, 80));
    expect(client.failures).toEqual([protocolError("wait for the key exchange")]);
    // Tiny messages cost more than their bytes.
    expect(count).toBeLessThan(20_000);
    expect(count * length).toBeLessThan(1.1 * 1024 * 1024);
  });

  it("begin the count of what waits anew", async () => {
    const client = await MemoryClient.running();
    for (let round = 0; round < 3; round++) {
      client.server.rekey();
      for (let count = 0; count < 20; count++) client.server.send(Buffer.alloc(30_000, 2));
      await client.exchangeKeys();
    }
    expect(client.failures).toEqual([]);
    expect((await client.takeNumbers()).filter((number) => number === 2).length).toBe(60);
  });

  it.each([
    ["strict", [STRICT]],
    ["plain", []],
  ])("take no notice of markers that come again: %s", async (_, markers) => {
    const client = await MemoryClient.running({ markers });
    await client.exchangeKeys({ kex: ["curve25519-sha256", EXT_INFO, STRICT] });
    client.send(ping("x"));
    expect(await client.takeNumbers()).toEqual([KEXINIT, KEX_ECDH_REPLY, NEWKEYS, PONG]);
    expect(client.failures).toEqual([]);
  });

  it("let only a few messages wait for the first keys", () => {
    const client = new MemoryClient();
    client.sendIdentification();
    let count = 0;
    for (; client.failures.length === 0 && count < 2_000_000; count++) client.server.send(Buffer.of(80));
    expect(client.failures).toEqual([protocolError("wait for the key exchange")]);
    expect(count).toBeLessThan(1000);
  });

  it("begin the counts of bytes anew", async () => {
    const client = await MemoryClient.running({ rekeyBytes: 20_000 });
    for (let round = 1; round <= 3; round++) {
      writeWhileReady(client, 100);
      await client.exchangeKeys();
      expect(client.events.filter((event) => event === "started").length).toBe(round);
      expect(client.events.filter((event) => event === "finished").length).toBe(round);
    }
  });

  it("may use other algorithms", async () => {
    const client = await MemoryClient.running();
    await client.exchangeKeys({
      kex: ["ecdh-sha2-nistp384"],
      cipherClientToServer: ["aes256-ctr"],
      cipherServerToClient: ["chacha20-poly1305@openssh.com"],
    });
    client.send(ping("x"));
    expect(await client.takeNumbers()).toEqual([KEXINIT, KEX_ECDH_REPLY, NEWKEYS, PONG]);
    expect(client.server.negotiated).toMatchObject({
      kex: { name: "ecdh-sha2-nistp384" },
      clientToServer: { cipher: { name: "aes256-ctr" } },
      serverToClient: { cipher: { name: "chacha20-poly1305@openssh.com" } },
    });
  });

  it("leave the session id and its host key as they were in the first exchange", async () => {
    const client = await MemoryClient.connected({ hostKeys: [HOST_KEY, PKey.generate({ keyType: "ecdsa" })] });
    const { sessionId, hostKeyBlob } = client.server;
    await client.exchangeKeys({ hostKey: ["ecdsa-sha2-nistp256"] });
    await client.take();
    expect(client.exchange.hostKey).not.toEqual(hostKeyBlob);
    expect(client.server.sessionId).toEqual(sessionId);
    expect(client.server.hostKeyBlob).toEqual(hostKeyBlob);
    expect(hostKeyBlob).toEqual(HOST_KEY.publicBlob);
  });
});

describe("Transport: a host key that takes its time", () => {
  it("lets the client's messages wait for it", async () => {
    const { hostKey, sign } = gatedKey();
    const client = new MemoryClient({ hostKeys: [hostKey], markers: [] });
    client.sendIdentification();
    client.sendKexInit();
    await client.sendMethod();
    // Would be forbidden, were it looked at now.
    client.send(message(NEWKEYS));
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    expect(client.server.buffered).toBeGreaterThan(0);
    expect(client.failures).toEqual([]);
    sign();
    expect(await client.takeNumbers()).toEqual([KEX_ECDH_REPLY, NEWKEYS]);
    expect(client.events).toEqual(["started", "writable", "finished"]);
    expect(client.server.buffered).toBe(0);
  });

  it("fails the connection when it refuses", async () => {
    const { hostKey, refuse } = gatedKey();
    const client = new MemoryClient({ hostKeys: [hostKey] });
    client.sendIdentification();
    client.sendKexInit();
    await client.sendMethod();
    refuse();
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    expect(client.failures).toEqual([protocolError("could not sign", DisconnectReason.KEY_EXCHANGE_FAILED)]);
    expect(client.events).toEqual(["started"]);
  });

  it("fails the connection when it signs nonsense", async () => {
    const { keyType, publicBlob, signatureAlgorithms } = HOST_KEY;
    const sign = (): Buffer => JSON.parse("null");
    const client = new MemoryClient({ hostKeys: [{ keyType, publicBlob, signatureAlgorithms, sign }] });
    client.sendIdentification();
    client.sendKexInit();
    await client.sendMethod();
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    expect(client.failures.length).toBe(1);
  });
});

describe("Transport: delayed compression", () => {
  const compression = {
    compressionClientToServer: ["zlib@openssh.com"],
    compressionServerToClient: ["zlib@openssh.com"],
  };

  it("begins when it is told to, and anew with new keys", async () => {
    const client = await MemoryClient.connected({ kexInit: compression });
    await client.take();
    client.server.enter("running");
    client.server.send(message(2, "in clear"));
    client.server.startDelayedCompression();
    expect(await client.take()).toEqual([message(2, "in clear")]);
    client.startCompression();
    for (let round = 0; round < 3; round++) {
      const text = "the same text again and again ".repeat(100);
      client.send(ping(text));
      client.server.send(message(2, text));
      expect(await client.take()).toEqual([message(PONG, text), message(2, text)]);
      await client.exchangeKeys();
      await client.take();
    }
    expect(client.failures).toEqual([]);
  });

  it("does not begin before authentication, however often keys are exchanged", async () => {
    const client = await MemoryClient.connected({ kexInit: compression });
    await client.exchangeKeys();
    client.send(ping("x"));
    expect((await client.takeNumbers()).at(-1)).toBe(PONG);
    expect(client.failures).toEqual([]);
  });

  it("does nothing where it was not negotiated", async () => {
    const client = await MemoryClient.running();
    client.server.startDelayedCompression();
    client.send(ping("x"));
    expect(await client.take()).toEqual([message(PONG, "x")]);
  });

  it("lets others have their turn while much is inflated, and loses nothing", async () => {
    const client = await MemoryClient.connected({ kexInit: compression });
    await client.take();
    client.server.enter("running");
    client.server.startDelayedCompression();
    client.startCompression();
    const bomb = message(GLOBAL_REQUEST, Buffer.alloc(200_000));
    client.sendBytes(Buffer.concat(Array.from({ length: 40 }, () => client.packet(bomb))));
    const atOnce = client.messages.length;
    expect(atOnce).toBeLessThan(10);
    let turns = 0;
    for (; client.messages.length < 40 && turns < 40; turns++) await client.take();
    expect(client.messages.length).toBe(40);
    expect(client.messages.every((payload) => payload.equals(bomb))).toBe(true);
    expect(turns).toBeGreaterThan(3);
    expect(client.failures).toEqual([]);
  });

  it("compresses data in two parts as one message", async () => {
    const client = await MemoryClient.connected({ kexInit: compression });
    await client.take();
    client.server.enter("running");
    client.server.startDelayedCompression();
    client.startCompression();
    const [sent] = writeWhileReady(client, 1);
    const [received] = await client.take();
    expect(readChannelData(received ?? Buffer.alloc(0))).toEqual(sent);
  });
});
