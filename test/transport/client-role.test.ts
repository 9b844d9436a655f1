import { describe, expect, it } from "vitest";
import { noneSealer } from "../../src/crypto/cipher/none.js";
import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { sealPacket } from "../support/packet-framing.js";
import { freshCookie, type KexInit, message, writeKexInit } from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { HOST_KEY, MemoryPair, type MemoryPairOptions } from "./memory-pair.js";

const M = MessageNumber;
const STRICT = "kex-strict-s-v00@openssh.com";

const protocolError = (text: string | RegExp, reason: number = DisconnectReason.PROTOCOL_ERROR) =>
  expect.objectContaining({ name: "ProtocolError", message: expect.stringMatching(text), reason });

const ecdsa = PKey.generate({ keyType: "ecdsa" });
const rsa = RSA_KEY;

/** What a client that has refused the server's key leaves behind. */
async function expectRefused(options: MemoryPairOptions, failure: unknown): Promise<MemoryPair> {
  const pair = new MemoryPair(options);
  await pair.settle();
  expect(pair.client.failures).toEqual([failure]);
  expect(pair.client.events).toEqual(["started"]);
  expect(pair.client.transport.sessionId).toBeUndefined();
  expect(pair.server.events).not.toContain("finished");
  return pair;
}

const notAccepted = protocolError("host key is not accepted", DisconnectReason.HOST_KEY_NOT_VERIFIABLE);

describe("a client's decision about the host key", () => {
  const fails = () => {
    throw new Error("no list of known hosts");
  };
  const answers: readonly [string, () => unknown][] = [
    ["false", () => false],
    ["nothing", () => undefined],
    ["1", () => 1],
    ["a text", () => "yes"],
    ["a promise of false", () => Promise.resolve(false)],
    ["a promise of a text", () => Promise.resolve("yes")],
    ["an error", fails],
    ["a rejection", async () => fails()],
  ];

  it.each(answers)("refuses unless it is exactly true: %s", async (_, answer) => {
    const acceptHostKey = () => answer() as boolean;
    const pair = await expectRefused({ acceptHostKey }, notAccepted);
    expect(pair.offeredKeys.map((key) => key.fingerprint())).toEqual([HOST_KEY.fingerprint()]);
  });

  it("is waited for, and nothing is sent before", async () => {
    let accept = (_: boolean): void => {};
    const decision = new Promise<boolean>((resolve) => {
      accept = resolve;
    });
    const pair = new MemoryPair({ acceptHostKey: () => decision });
    await pair.until(() => pair.offeredKeys.length === 1);
    const { bytesSent } = pair.client;
    await pair.settle();
    expect(pair.client.bytesSent).toBe(bytesSent);
    expect(pair.client.transport.sessionId).toBeUndefined();
    accept(true);
    await pair.exchangeKeys();
  });

  it("is asked for in each later exchange, too", async () => {
    let acceptable = true;
    const pair = await MemoryPair.running({ acceptHostKey: () => acceptable });
    acceptable = false;
    pair.server.transport.rekey();
    await pair.settle();
    expect(pair.client.failures).toEqual([notAccepted]);
    expect(pair.server.events).not.toContain("finished");
    expect(pair.offeredKeys).toHaveLength(2);
  });
});

describe("a client refuses a server", () => {
  const kexFailed = (text: string) => protocolError(text, DisconnectReason.KEY_EXCHANGE_FAILED);
  const wrongSignature = kexFailed("the signature of the server's host key is wrong");
  const authority = PKey.generate({ keyType: "ed25519" });
  const certified = (type: "host" | "user", validBefore: Date) => {
    const { publicKey } = HOST_KEY;
    const options = { publicKey, type, keyId: "key", principals: ["host"], validBefore };
    return HOST_KEY.withCertificate(authority.signCertificate(options));
  };
  const nextYear = new Date(Date.now() + 365 * 86_400_000);
  const yesterday = new Date(Date.now() - 86_400_000);

  /** A key that says what is not so. */
  const lying = (key: PKey, change: Partial<HostKey>): HostKey => ({
    keyType: key.keyType,
    publicBlob: key.publicBlob,
    signatureAlgorithms: key.signatureAlgorithms,
    sign: (data, algorithm) => key.sign(data, algorithm),
    ...change,
  });
  const tampered = (data: Buffer) => {
    const signature = HOST_KEY.sign(data);
    signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
    return signature;
  };

  it.each<[string, HostKey, unknown]>([
    ["whose signature is changed", lying(HOST_KEY, { sign: tampered }), wrongSignature],
    [
      "whose signature is of something else",
      lying(HOST_KEY, { sign: () => HOST_KEY.sign(Buffer.alloc(32)) }),
      wrongSignature,
    ],
    ["whose signature is empty", lying(HOST_KEY, { sign: () => Buffer.alloc(0) }), wrongSignature],
    [
      "that shows another's key",
      lying(HOST_KEY, { publicBlob: PKey.generate({ keyType: "ed25519" }).publicBlob }),
      wrongSignature,
    ],
    [
      "that signs with another algorithm than was agreed on",
      lying(rsa, { sign: (data) => rsa.sign(data, "rsa-sha2-256"), signatureAlgorithms: ["rsa-sha2-512"] }),
      wrongSignature,
    ],
    [
      "whose key is of another type than was agreed on",
      lying(ecdsa, { signatureAlgorithms: ["ssh-ed25519"], sign: (data) => ecdsa.sign(data) }),
      kexFailed("does not fit the algorithm ssh-ed25519"),
    ],
    ["whose key is malformed", lying(HOST_KEY, { publicBlob: Buffer.from("key") }), kexFailed("cannot be used")],
    ["with a user's certificate", certified("user", nextYear), kexFailed("certificate of the server's host key")],
    [
      "with a certificate of yesterday",
      certified("host", yesterday),
      kexFailed("certificate of the server's host key"),
    ],
  ])("%s, without being asked", async (_, hostKey, failure) => {
    const pair = await expectRefused({ hostKeys: [hostKey] }, failure);
    expect(pair.offeredKeys).toEqual([]);
  });

  it("with a certificate whose authority has signed by an algorithm that is not allowed", async () => {
    const options = { hostKeys: [certified("host", nextYear)], clientAlgorithms: { caSignature: ["rsa-sha2-512"] } };
    await expectRefused(options, kexFailed("certificate of the server's host key"));
  });
});

/** A server that sends what it likes, without keys, to a client. */
class HostileServer {
  readonly #pair = new MemoryPair({
    clientAlgorithms: { kex: ["curve25519-sha256", "diffie-hellman-group-exchange-sha256"] },
  });
  #packets = 0;

  constructor() {
    this.#client.transport.receive(Buffer.from("SSH-2.0-hostile\r\n"));
  }

  get #client() {
    return this.#pair.client;
  }

  /** What has become of the client. */
  get failures(): readonly unknown[] {
    return this.#client.failures;
  }

  get events(): readonly string[] {
    return this.#client.events;
  }

  send(...payloads: readonly Buffer[]): this {
    for (const payload of payloads) {
      this.#client.transport.receive(sealPacket(noneSealer, this.#packets++, payload));
    }
    return this;
  }
}

const kexInit = (change: Partial<KexInit> = {}) =>
  writeKexInit({
    cookie: freshCookie(),
    kex: ["curve25519-sha256"],
    hostKey: ["ssh-ed25519"],
    cipherClientToServer: ["aes128-gcm@openssh.com"],
    cipherServerToClient: ["aes128-gcm@openssh.com"],
    macClientToServer: [],
    macServerToClient: [],
    compressionClientToServer: ["none"],
    compressionServerToClient: ["none"],
    firstKexPacketFollows: false,
    ...change,
  });
const strictKexInit = () => kexInit({ kex: ["curve25519-sha256", STRICT] });

describe("a hostile server gets nowhere before there are keys:", () => {
  const outOfTurn = protocolError("out of turn");
  const ignore = message(M.IGNORE, "");
  const group = (bits: number) =>
    new Writer()
      .writeByte(M.KEX_DH_GEX_GROUP)
      .writeMpint(Buffer.alloc(bits / 8, 0xff))
      .writeMpint(Buffer.of(2))
      .toBuffer();

  it.each<[string, readonly Buffer[], unknown]>([
    ["a second KEXINIT", [kexInit(), kexInit()], protocolError("KEXINIT during a key exchange")],
    ["NEWKEYS at once", [message(M.NEWKEYS)], outOfTurn],
    ["NEWKEYS without a reply", [kexInit(), message(M.NEWKEYS)], outOfTurn],
    ["a reply before its KEXINIT", [message(M.KEX_ECDH_REPLY)], outOfTurn],
    [
      "a message of a client's method",
      [kexInit(), message(M.KEX_ECDH_INIT, Buffer.alloc(32, 9))],
      protocolError("message 30 where 31 is expected", DisconnectReason.KEY_EXCHANGE_FAILED),
    ],
    [
      "a huge group",
      [kexInit({ kex: ["diffie-hellman-group-exchange-sha256"] }), group(16_384)],
      protocolError("16384 bits", DisconnectReason.KEY_EXCHANGE_FAILED),
    ],
    ["IGNORE before a strict KEXINIT", [ignore, strictKexInit()], protocolError("not the first packet")],
    ["IGNORE within a strict exchange", [strictKexInit(), ignore], protocolError("message 2 is not allowed")],
    [
      "a method that is none",
      [kexInit({ kex: ["ext-info-c", "kex-strict-c-v00@openssh.com"] })],
      protocolError("no common key exchange", DisconnectReason.KEY_EXCHANGE_FAILED),
    ],
    ...[M.SERVICE_REQUEST, M.SERVICE_ACCEPT, M.EXT_INFO, M.USERAUTH_SUCCESS, M.GLOBAL_REQUEST, M.CHANNEL_OPEN].map(
      (number): [string, readonly Buffer[], unknown] => [
        `message ${number}`,
        [message(number, "x")],
        protocolError(`message ${number} is not allowed`),
      ],
    ),
  ])("%s", (_, payloads, failure) => {
    const server = new HostileServer().send(...payloads);
    expect(server.failures).toEqual([failure]);
    expect(server.events).toEqual(["started"]);
  });

  it("a guess that is wrong is ignored once", () => {
    const guess = kexInit({ kex: ["unknown", "curve25519-sha256"], firstKexPacketFollows: true });
    const server = new HostileServer().send(guess, message(M.KEX_ECDH_REPLY));
    expect(server.failures).toEqual([]);
    server.send(message(M.KEX_ECDH_REPLY));
    expect(server.failures).toEqual([
      expect.objectContaining({ name: "ProtocolError", reason: DisconnectReason.KEY_EXCHANGE_FAILED }),
    ]);
  });

  it("a client's announcement of strictness is not the server's", () => {
    const server = new HostileServer();
    server.send(kexInit({ kex: ["curve25519-sha256", "kex-strict-c-v00@openssh.com"] }), ignore);
    expect(server.failures).toEqual([]);
  });
});

describe("a hostile server gets nowhere before the login:", () => {
  it.each([
    M.USERAUTH_REQUEST,
    M.USERAUTH_SUCCESS,
    M.USERAUTH_BANNER,
    M.GLOBAL_REQUEST,
    M.CHANNEL_OPEN,
    M.CHANNEL_DATA,
  ])("message %i", async (number) => {
    const pair = new MemoryPair();
    await pair.exchangeKeys();
    pair.server.transport.send(message(number, "x"));
    await pair.settle();
    expect(pair.client.failures).toEqual([protocolError(`message ${number} is not allowed in phase service`)]);
    expect(pair.client.messages).toEqual([]);
  });

  it("one key exchange after the other", async () => {
    const pair = new MemoryPair();
    await pair.exchangeKeys();
    // The machine of a server asks for keys only where its owner says that the login is over.
    pair.server.transport.enter("running");
    for (let exchanges = 2; exchanges <= 9; exchanges++) {
      pair.server.transport.rekey();
      await pair.settle();
    }
    expect(pair.client.failures).toEqual([protocolError("too many key exchanges before authentication")]);
    expect(pair.offeredKeys).toHaveLength(8);
  });
});
