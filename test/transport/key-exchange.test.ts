import { describe, expect, it } from "vitest";
import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { decodeKexInit } from "../../src/protocol/messages/kex-init.js";
import { type AlgorithmPreferences, resolveAlgorithms } from "../../src/transport/algorithms.js";
import { KeyExchange, type KeyExchangeContext } from "../../src/transport/key-exchange.js";
import { serverRole } from "../../src/transport/server-role.js";
import { type KexClient, startClient } from "../support/kex-client.js";
import { sealPacket } from "../support/packet-framing.js";
import { agree, deriveDirection, type Exchange, hashExchange } from "../support/packet-keys.js";
import { freshCookie, type KexInit, readKexInit, writeKexInit } from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";

const ed25519 = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa" });
const rsa = RSA_KEY;

const clientIdentification = Buffer.from("SSH-2.0-client");
const serverIdentification = Buffer.from("SSH-2.0-server");

const startServer = (
  algorithms: Partial<AlgorithmPreferences> = {},
  context: Partial<KeyExchangeContext> = {},
): KeyExchange =>
  new KeyExchange({
    role: serverRole([ed25519, ecdsa, rsa]),
    ownIdentification: serverIdentification,
    peerIdentification: clientIdentification,
    algorithms: resolveAlgorithms(algorithms),
    sessionId: undefined,
    ...context,
  });

const clientKexInit = (change: Partial<KexInit> = {}): Buffer =>
  writeKexInit({
    cookie: freshCookie(),
    kex: ["curve25519-sha256"],
    hostKey: ["ssh-ed25519"],
    cipherClientToServer: ["aes128-gcm@openssh.com"],
    cipherServerToClient: ["aes128-gcm@openssh.com"],
    macClientToServer: ["hmac-sha2-256"],
    macServerToClient: ["hmac-sha2-256"],
    compressionClientToServer: ["none"],
    compressionServerToClient: ["none"],
    firstKexPacketFollows: false,
    ...change,
  });

/** Gives the server a method's messages; resolves once it has its result. */
async function runMethod(server: KeyExchange, client: KexClient): Promise<void> {
  let step = server.receive(client.init);
  if (step !== undefined && "send" in step) {
    if (client.answerGroup === undefined) throw new Error("this method has one round only");
    step = server.receive(client.answerGroup(step.send));
  }
  if (step === undefined || "send" in step) throw new Error("the exchange is not done");
  await step.done;
}

/** A whole exchange, with what the client takes from it. */
async function exchange(server: KeyExchange, kexInit: Buffer): Promise<Exchange> {
  const sent = Buffer.from(kexInit);
  server.receiveKexInit(sent);
  const agreement = agree(readKexInit(kexInit), readKexInit(server.kexInitPayload));
  // What was received is overwritten by the packets that follow.
  sent.fill(0);
  const client = startClient(agreement.kex);
  await runMethod(server, client);
  return hashExchange({
    agreement,
    clientIdentification,
    serverIdentification,
    clientKexInit: kexInit,
    serverKexInit: server.kexInitPayload,
    result: client.finish(server.result?.lastMessage ?? Buffer.alloc(0)),
  });
}

function firstMessage(server: KeyExchange): Promise<void> {
  server.receiveKexInit(clientKexInit());
  return runMethod(server, startClient("curve25519-sha256"));
}

const keyExchangeFailed = { name: "ProtocolError", reason: DisconnectReason.KEY_EXCHANGE_FAILED };

describe("KeyExchange: our KEXINIT", () => {
  it("offers the algorithms in our order, and the markers in the first exchange only", () => {
    const algorithms = {
      kex: ["ecdh-sha2-nistp256", "curve25519-sha256"],
      cipher: ["aes256-ctr"],
      mac: ["hmac-sha2-512"],
    };
    const first = decodeKexInit(startServer(algorithms).kexInitPayload);
    expect(first).toEqual({
      kex: [...algorithms.kex, "ext-info-s", "kex-strict-s-v00@openssh.com"],
      hostKey: ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"],
      cipherClientToServer: algorithms.cipher,
      cipherServerToClient: algorithms.cipher,
      macClientToServer: algorithms.mac,
      macServerToClient: algorithms.mac,
      compressionClientToServer: ["none", "zlib@openssh.com"],
      compressionServerToClient: ["none", "zlib@openssh.com"],
      firstKexPacketFollows: false,
    });
    const later = decodeKexInit(startServer(algorithms, { sessionId: Buffer.alloc(32) }).kexInitPayload);
    expect(later).toEqual({ ...first, kex: algorithms.kex });
  });

  it("offers host key algorithms only where there is a key for them", () => {
    const offered = (hostKeys: readonly HostKey[], hostKey?: string[]) =>
      decodeKexInit(startServer(hostKey && { hostKey }, { role: serverRole(hostKeys) }).kexInitPayload).hostKey;
    expect(offered([rsa])).toEqual(["rsa-sha2-512", "rsa-sha2-256"]);
    expect(offered([rsa, ed25519], ["rsa-sha2-256", "ssh-ed25519"])).toEqual(["rsa-sha2-256", "ssh-ed25519"]);
    expect(offered([ecdsa], ["ssh-ed25519"])).toEqual([]);
  });

  it("has another cookie each time", () => {
    const cookies = Array.from({ length: 20 }, () => startServer().kexInitPayload.toString("hex", 1, 17));
    expect(new Set(cookies).size).toBe(20);
  });
});

describe("KeyExchange: the client's KEXINIT", () => {
  it("tells what the client can do", () => {
    const plain = startServer();
    plain.receiveKexInit(clientKexInit());
    expect([plain.peerKexInitReceived, plain.strict, plain.peerTakesExtInfo]).toEqual([true, false, false]);
    const marked = startServer();
    expect([marked.peerKexInitReceived, marked.strict, marked.peerTakesExtInfo]).toEqual([false, false, false]);
    marked.receiveKexInit(clientKexInit({ kex: ["curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"] }));
    expect([marked.peerKexInitReceived, marked.strict, marked.peerTakesExtInfo]).toEqual([true, true, true]);
  });

  it("does not take the server's markers, or invented ones, for the client's", () => {
    const server = startServer();
    const kex = ["curve25519-sha256", "ext-info-s", "kex-strict-s-v00@openssh.com", "kex-strict-c-v01@openssh.com"];
    server.receiveKexInit(clientKexInit({ kex }));
    expect([server.strict, server.peerTakesExtInfo]).toEqual([false, false]);
  });

  it("comes once", async () => {
    const server = startServer();
    server.receiveKexInit(clientKexInit());
    expect(() => server.receiveKexInit(clientKexInit())).toThrow(expect.objectContaining({ name: "ProtocolError" }));
    const done = startServer();
    await firstMessage(done);
    expect(() => done.receiveKexInit(clientKexInit())).toThrow(expect.objectContaining({ name: "ProtocolError" }));
  });

  it("comes before the method's messages", () => {
    expect(() => startServer().receive(startClient("curve25519-sha256").init)).toThrow("out of turn");
  });
});

describe("KeyExchange: the method", () => {
  it.each(["mlkem768x25519-sha256", "sntrup761x25519-sha512", "curve25519-sha256", "ecdh-sha2-nistp521"])(
    "%s ends in a hash that the host key has signed, and in keys",
    async (kex) => {
      const server = startServer();
      const result = await exchange(server, clientKexInit({ kex: [kex] }));
      expect(ed25519.verify(result.hash, result.signature, "ssh-ed25519")).toBe(true);
      expect(result.hostKey).toEqual(ed25519.publicBlob);
      expect(server.result?.sessionId).toEqual(result.hash);
      const { cipher, keys } = deriveDirection(result, result.hash, "client-to-server");
      const packet = sealPacket(cipher.createSealer(keys), 3, Buffer.from("payload"));
      expect(server.result?.opener.open(packet, 3).includes("payload")).toBe(true);
    },
  );

  it("may have more than one round", async () => {
    const kex = ["diffie-hellman-group-exchange-sha256"];
    const result = await exchange(startServer({ kex }), clientKexInit({ kex }));
    expect(ed25519.verify(result.hash, result.signature)).toBe(true);
  });

  it.each([
    ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"],
    ["aes256-gcm@openssh.com", "aes192-ctr"],
    ["aes128-ctr", "chacha20-poly1305@openssh.com"],
  ])("derives the keys of each direction for its own cipher: %s and %s", async (toServer, toClient) => {
    const server = startServer();
    const result = await exchange(
      server,
      clientKexInit({
        cipherClientToServer: [toServer],
        cipherServerToClient: [toClient],
        macClientToServer: ["hmac-sha2-512-etm@openssh.com"],
        macServerToClient: ["hmac-sha2-256"],
      }),
    );
    const inward = deriveDirection(result, result.hash, "client-to-server");
    const incoming = sealPacket(inward.cipher.createSealer(inward.keys), 3, Buffer.from("payload"));
    const opener = server.result?.opener;
    opener?.readLength(Buffer.from(incoming.subarray(0, opener.headerLength)), 3);
    expect(opener?.open(incoming, 3).includes("payload")).toBe(true);

    const outward = deriveDirection(result, result.hash, "server-to-client");
    if (server.result === undefined) throw new Error("no result");
    const outgoing = sealPacket(server.result.sealer, 5, Buffer.from("answer"));
    const clientOpener = outward.cipher.createOpener(outward.keys);
    clientOpener.readLength(Buffer.from(outgoing.subarray(0, clientOpener.headerLength)), 5);
    expect(clientOpener.open(outgoing, 5).includes("answer")).toBe(true);
  });

  it("keeps the session id of the first exchange in later ones, whose keys depend on it", async () => {
    const sessionId = Buffer.alloc(32, 7);
    const server = startServer({}, { sessionId });
    const result = await exchange(server, clientKexInit());
    expect(server.result?.sessionId).toEqual(sessionId);
    const { cipher, keys } = deriveDirection(result, sessionId, "client-to-server");
    const packet = sealPacket(cipher.createSealer(keys), 0, Buffer.from("payload"));
    expect(server.result?.opener.open(packet, 0).includes("payload")).toBe(true);
  });

  it.each([
    ["ssh-ed25519", ed25519],
    ["ecdsa-sha2-nistp256", ecdsa],
    ["rsa-sha2-512", rsa],
    ["rsa-sha2-256", rsa],
  ])("signs with the negotiated algorithm %s", async (name, key) => {
    const result = await exchange(startServer(), clientKexInit({ hostKey: [name] }));
    expect(result.hostKey).toEqual(key.publicBlob);
    expect(key.verify(result.hash, result.signature, name)).toBe(true);
  });

  it("ignores one message after a wrong guess, and no second one", async () => {
    const server = startServer();
    server.receiveKexInit(clientKexInit({ kex: ["unknown", "curve25519-sha256"], firstKexPacketFollows: true }));
    expect(server.receive(Buffer.of(30, 1, 2, 3))).toBeUndefined();
    expect(() => server.receive(Buffer.of(30, 1, 2, 3))).toThrow(expect.objectContaining(keyExchangeFailed));
  });

  it("takes the message of a right guess", async () => {
    const server = startServer({ kex: ["curve25519-sha256"] });
    server.receiveKexInit(clientKexInit({ firstKexPacketFollows: true }));
    await runMethod(server, startClient("curve25519-sha256"));
    expect(server.result).toBeDefined();
  });

  it("takes no message after its last one", async () => {
    const server = startServer();
    await firstMessage(server);
    expect(() => server.receive(startClient("curve25519-sha256").init)).toThrow("out of turn");
    expect(() => server.receive(Buffer.of(MessageNumber.KEX_LAST))).toThrow("out of turn");
  });

  it("refuses what the method refuses", () => {
    const server = startServer();
    server.receiveKexInit(clientKexInit());
    expect(() => server.receive(Buffer.of(30, 0, 0, 0, 0))).toThrow(expect.objectContaining(keyExchangeFailed));
    expect(server.result).toBeUndefined();
  });
});

describe("KeyExchange: the host key", () => {
  const slowKey = (sign: HostKey["sign"]): HostKey => ({
    keyType: ed25519.keyType,
    publicBlob: ed25519.publicBlob,
    signatureAlgorithms: ed25519.signatureAlgorithms,
    sign,
  });

  it("may sign asynchronously; there is no result before", async () => {
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const hostKey = slowKey(async (data, algorithm) => {
      await gate;
      return ed25519.sign(data, algorithm);
    });
    const server = startServer({}, { role: serverRole([hostKey]) });
    const done = exchange(server, clientKexInit());
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.result).toBeUndefined();
    finish();
    const result = await done;
    expect(ed25519.verify(result.hash, result.signature)).toBe(true);
    expect(server.result?.hostKeyBlob).toEqual(hostKey.publicBlob);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no token");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no token"))],
  ])("fails the exchange when sign() %s, and keeps the cause for the log", async (_, sign) => {
    const server = startServer({}, { role: serverRole([slowKey(sign)]) });
    await expect(firstMessage(server)).rejects.toMatchObject({
      ...keyExchangeFailed,
      message: "the host key could not sign",
      cause: { message: "no token" },
    });
    expect(server.result).toBeUndefined();
  });
});
