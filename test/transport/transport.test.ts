import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { decodeExtInfo } from "../../src/protocol/messages/ext-info.js";
import {
  debug,
  ignore,
  message,
  ping,
  readDisconnect,
  readUnimplemented,
  serviceRequest,
  writeDisconnect,
} from "../support/packet-messages.js";
import { EXT_INFO, HOST_KEY, MemoryClient, STRICT } from "./memory-client.js";

const { KEXINIT, KEX_ECDH_REPLY, NEWKEYS, EXT_INFO: EXT_INFO_MESSAGE, UNIMPLEMENTED, PONG } = MessageNumber;

const protocolError = (text: string | RegExp, reason: number = DisconnectReason.PROTOCOL_ERROR) =>
  expect.objectContaining({ name: "ProtocolError", message: expect.stringMatching(text), reason });

describe("Transport: the handshake", () => {
  it("identifies itself at once and sends KEXINIT after the client's line", async () => {
    const client = new MemoryClient();
    expect(await client.takeNumbers()).toEqual([]);
    expect(client.serverIdentification).toBe("SSH-2.0-server");
    expect(client.events).toEqual([]);
    client.sendIdentification();
    expect(await client.takeNumbers()).toEqual([KEXINIT]);
    expect(client.events).toEqual(["started"]);
    expect(client.server.peerIdentification).toBe("SSH-2.0-client");
  });

  it("takes line, KEXINIT and the method's message in one chunk", async () => {
    const client = new MemoryClient();
    const kexInit: Buffer[] = [];
    const { sendBytes } = client;
    client.sendBytes = (bytes) => kexInit.push(Buffer.from(bytes));
    client.sendIdentification();
    client.sendKexInit();
    client.sendBytes = sendBytes;
    client.sendBytes(Buffer.concat(kexInit));
    await client.sendMethod();
    await client.sendNewKeys();
    expect(client.failures).toEqual([]);
    expect(client.events).toEqual(["started", "writable", "finished"]);
  });

  it("comes to the same whatever the bytes are cut into", async () => {
    const client = new MemoryClient();
    const { sendBytes } = client;
    client.sendBytes = (bytes) => {
      for (const byte of bytes) sendBytes.call(client, Buffer.of(byte));
    };
    client.sendIdentification();
    await client.exchangeKeys();
    client.send(serviceRequest("ssh-userauth"));
    expect(client.messages).toEqual([serviceRequest("ssh-userauth")]);
    expect(client.failures).toEqual([]);
  });

  it("tells what was negotiated and which key signed, once both sides have new keys", async () => {
    const client = new MemoryClient();
    client.sendIdentification();
    client.sendKexInit();
    await client.sendMethod();
    await client.take();
    expect(client.server.negotiated).toBeUndefined();
    await client.sendNewKeys();
    expect(client.server.negotiated).toMatchObject({
      kex: { name: "curve25519-sha256" },
      clientToServer: { cipher: { name: "aes128-gcm@openssh.com" } },
    });
    expect(client.server.sessionId).toEqual(client.sessionId);
    expect(client.server.hostKeyBlob).toEqual(HOST_KEY.publicBlob);
  });

  it("ignores the message of a wrong guess", async () => {
    const client = new MemoryClient();
    client.sendIdentification();
    client.sendKexInit({ kex: ["ecdh-sha2-nistp256", STRICT], firstKexPacketFollows: true });
    client.send(message(30, "a guess that was wrong"));
    await client.sendMethod();
    await client.sendNewKeys();
    expect(client.failures).toEqual([]);
    expect(client.events).toContain("finished");
  });

  it("holds back what is sent before the first keys", async () => {
    const client = new MemoryClient();
    client.sendIdentification();
    expect(client.server.ready).toBe(false);
    client.server.send(message(2, "early"));
    client.sendKexInit();
    await client.sendMethod();
    expect(await client.takeNumbers()).toEqual([KEXINIT, KEX_ECDH_REPLY, NEWKEYS, EXT_INFO_MESSAGE, 2]);
    expect(client.server.ready).toBe(true);
  });

  it.each([
    ["a foreign protocol", "GET / HTTP/1.1\r\n", DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED],
    ["a packet length that cannot be", "SSH-2.0-client\r\n\xff\xff\xff\xff", DisconnectReason.PROTOCOL_ERROR],
  ])("fails for %s", (_, bytes, reason) => {
    const client = new MemoryClient();
    client.sendBytes(Buffer.from(bytes, "latin1"));
    expect(client.failures).toEqual([protocolError("", reason)]);
  });

  it("names what has nothing in common", () => {
    const client = new MemoryClient();
    client.sendIdentification();
    client.sendKexInit({ cipherClientToServer: ["aes128-cbc"] });
    expect(client.failures).toEqual([
      protocolError(/no common cipher \(client to server\)/, DisconnectReason.KEY_EXCHANGE_FAILED),
    ]);
  });
});

describe("Transport: extension info", () => {
  it("is the first message under new keys, for clients that take it", async () => {
    const client = await MemoryClient.connected({ markers: [EXT_INFO] });
    const received = await client.take();
    expect(received.map(([number]) => number)).toEqual([KEXINIT, KEX_ECDH_REPLY, NEWKEYS, EXT_INFO_MESSAGE]);
    const extensions = decodeExtInfo(received[3] ?? Buffer.alloc(0));
    expect(extensions.get("server-sig-algs")?.toString().split(",")).toEqual([
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256",
      "sk-ssh-ed25519@openssh.com",
      "sk-ecdsa-sha2-nistp256@openssh.com",
    ]);
    expect(extensions.get("publickey-hostbound@openssh.com")?.toString()).toBe("0");
    expect(extensions.get("ping@openssh.com")?.toString()).toBe("0");
  });

  it("does not go to clients that have not asked, nor after later exchanges", async () => {
    const without = await MemoryClient.connected({ markers: [STRICT] });
    expect(await without.takeNumbers()).not.toContain(EXT_INFO_MESSAGE);
    const client = await MemoryClient.running();
    await client.exchangeKeys();
    expect(await client.takeNumbers()).toEqual([KEXINIT, KEX_ECDH_REPLY, NEWKEYS]);
  });

  it("is taken from the client, and must be well-formed", async () => {
    const client = await MemoryClient.connected();
    client.send(Buffer.concat([message(EXT_INFO_MESSAGE), Buffer.from("0000000100000001610000000162", "hex")]));
    expect(client.failures).toEqual([]);
    client.send(message(EXT_INFO_MESSAGE));
    expect(client.failures).toEqual([protocolError("expected")]);
  });
});

describe("Transport: strict key exchange", () => {
  it.each([
    ["strict", [STRICT]],
    ["plain", []],
  ])("works when %s, over several exchanges", async (_, markers) => {
    const client = await MemoryClient.running({ markers });
    for (let round = 0; round < 3; round++) {
      client.send(ping("a"));
      await client.exchangeKeys();
      client.send(ping("b"));
    }
    expect(client.failures).toEqual([]);
    expect((await client.takeNumbers()).filter((number) => number === PONG).length).toBe(6);
  });

  it("is not asked of others, who may send IGNORE and DEBUG", async () => {
    const client = new MemoryClient({ markers: [] });
    client.sendIdentification();
    client.send(ignore());
    client.sendKexInit();
    client.send(debug("text"));
    await client.sendMethod();
    client.send(ignore());
    await client.sendNewKeys();
    expect(client.failures).toEqual([]);
    expect(client.events).toContain("finished");
  });
});

describe("Transport: messages", () => {
  it("answers an unknown number with its sequence number, before and after strict keys", async () => {
    const client = await MemoryClient.running();
    client.send(ignore());
    client.send(message(200));
    client.send(message(0));
    const received = await client.take();
    expect(received.map(readUnimplemented)).toEqual([1, 2]);
    expect(received.map(([number]) => number)).toEqual([UNIMPLEMENTED, UNIMPLEMENTED]);
    const plain = await MemoryClient.running({ markers: [] });
    plain.send(message(200));
    expect((await plain.take()).map(readUnimplemented)).toEqual([plain.lastSequenceNumber]);
    expect(plain.lastSequenceNumber).toBeGreaterThan(2);
  });

  it("answers pings with their data", async () => {
    const client = await MemoryClient.running();
    client.send(ping("some data"));
    expect(await client.take()).toEqual([message(PONG, "some data")]);
  });

  it("drops an authentication request on a running connection", async () => {
    const client = await MemoryClient.running();
    client.send(message(MessageNumber.USERAUTH_REQUEST, "late"));
    expect([client.messages, client.failures, await client.take()]).toEqual([[], [], []]);
  });

  it("fails with reason MAC_ERROR for a packet that was tampered with", async () => {
    const client = await MemoryClient.running();
    client.send(ping("data"), { tamper: (packet) => packet.writeUInt8((packet.at(-1) ?? 0) ^ 1, packet.length - 1) });
    expect(client.failures).toEqual([protocolError("", DisconnectReason.MAC_ERROR)]);
    expect(await client.take()).toEqual([]);
  });
});

describe("Transport: hold", () => {
  it("stops messages until it is released, and keeps their order", async () => {
    const client = await MemoryClient.running();
    const release = client.server.hold();
    for (const text of ["1", "2", "3"]) client.send(message(80, text));
    expect(client.messages).toEqual([]);
    expect(client.server.buffered).toBeGreaterThan(0);
    release();
    expect(client.messages).toEqual(["1", "2", "3"].map((text) => message(80, text)));
    expect(client.server.buffered).toBe(0);
  });

  it("goes on only when everybody has released, each once", async () => {
    const client = await MemoryClient.running();
    const [first, second] = [client.server.hold(), client.server.hold()];
    client.send(message(80, "1"));
    first();
    first();
    expect(client.messages).toEqual([]);
    second();
    expect(client.messages.length).toBe(1);
  });

  it("may begin and end inside of a message", async () => {
    const client = await MemoryClient.running();
    const releases: (() => void)[] = [];
    client.onMessage = () => releases.push(client.server.hold());
    client.sendBytes(Buffer.concat(["1", "2", "3"].map((text) => client.packet(message(80, text)))));
    expect(client.messages.length).toBe(1);
    client.onMessage = () => client.server.hold()();
    releases[0]?.();
    expect(client.messages.length).toBe(3);
  });
});

describe("Transport: acceptsMessages", () => {
  it("lets messages wait until resume(), and tells when all are handled", async () => {
    const client = await MemoryClient.running();
    let caughtUp = 0;
    client.caughtUp = () => caughtUp++;
    client.onMessage = () => {
      client.accepting = false;
    };
    client.sendBytes(Buffer.concat(["1", "2", "3"].map((text) => client.packet(message(80, text)))));
    for (const count of [1, 2, 3]) {
      expect(client.messages.length).toBe(count);
      client.server.resume();
      expect([client.messages.length, caughtUp]).toEqual([count, 0]);
      client.accepting = true;
      client.server.resume();
    }
    expect(caughtUp).toBe(1);
    expect(client.messages).toEqual(["1", "2", "3"].map((text) => message(80, text)));
  });
});

describe("Transport: the end", () => {
  it("says goodbye, then neither sends nor handles anything", async () => {
    const client = await MemoryClient.running();
    client.server.send(message(2, "before"));
    client.server.disconnect(DisconnectReason.BY_APPLICATION, "bye");
    client.server.disconnect(DisconnectReason.BY_APPLICATION, "again");
    client.server.send(message(2, "behind"));
    client.server.rekey();
    client.send(message(80, "late"));
    const received = await client.take();
    expect(received.map(([number]) => number)).toEqual([2, MessageNumber.DISCONNECT]);
    expect(readDisconnect(received[1] ?? Buffer.alloc(0))).toEqual({ reason: 11, message: "bye" });
    expect([client.messages, client.server.ready, client.failures]).toEqual([[], false, []]);
  });

  it("can say goodbye at any time", async () => {
    const before = new MemoryClient();
    before.server.disconnect(DisconnectReason.TOO_MANY_CONNECTIONS, "full");
    expect((await before.take()).map(readDisconnect)).toEqual([{ reason: 12, message: "full" }]);
    const during = await MemoryClient.running();
    during.server.rekey();
    during.server.send(message(2, "waits"));
    during.server.disconnect(DisconnectReason.BY_APPLICATION, "bye");
    expect(await during.takeNumbers()).toEqual([KEXINIT, MessageNumber.DISCONNECT]);
  });

  it("takes the client's goodbye", async () => {
    const client = await MemoryClient.running();
    client.sendBytes(
      Buffer.concat([client.packet(writeDisconnect(11, "done")), client.packet(message(80, "behind it"))]),
    );
    expect(client.events).toEqual(["disconnected 11 done"]);
    expect([client.messages, client.server.ready]).toEqual([[], false]);
  });

  it("does nothing any more once the peer is gone, not even when a signature comes late", async () => {
    let sign = (): void => {};
    const gate = new Promise<void>((resolve) => {
      sign = resolve;
    });
    const key = PKey.generate({ keyType: "ed25519" });
    const { keyType, publicBlob, signatureAlgorithms } = key;
    const slow = async (data: Buffer) => {
      await gate;
      return key.sign(data);
    };
    const client = new MemoryClient({ hostKeys: [{ keyType, publicBlob, signatureAlgorithms, sign: slow }] });
    client.sendIdentification();
    client.sendKexInit();
    await client.sendMethod();
    await client.take();
    client.server.close();
    sign();
    expect([await client.take(), client.failures, client.events]).toEqual([[], [], ["started"]]);
  });
});
