import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { hostKeyAlgorithms } from "../../src/crypto/certificates/certificate-algorithms.js";
import type { CipherAlgorithm } from "../../src/crypto/cipher/packet-cipher.js";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { keyExchangeAlgorithms } from "../../src/crypto/kex/registry.js";
import { signatureAlgorithms } from "../../src/crypto/keys/signature-algorithms.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { namesOf } from "../../src/transport/negotiation.js";
import { PacketWriter } from "../../src/transport/packet-writer.js";
import { clientMarkers, serverMarkers } from "../../src/transport/role.js";
import { type End, MemoryPair, type MemoryPairOptions } from "./memory-pair.js";
import { recordingProtection } from "./packet-suites.js";

const both = (algorithms: MemoryPairOptions["clientAlgorithms"] & object): MemoryPairOptions => ({
  clientAlgorithms: algorithms,
  serverAlgorithms: algorithms,
});

/** Data both ways, under the keys of this moment. */
async function exchangeData(pair: MemoryPair): Promise<void> {
  const texts = ["", "short", "x".repeat(40_000)];
  for (const text of texts) {
    pair.client.sendData(text);
    pair.server.sendData(text.toUpperCase());
  }
  await pair.until(() => pair.ends.every(({ messages }) => messages.length === texts.length));
  expect(pair.server.takeData()).toEqual(texts);
  expect(pair.client.takeData()).toEqual(texts.map((text) => text.toUpperCase()));
}

async function rekey(pair: MemoryPair, ...by: readonly End[]): Promise<void> {
  for (const { events } of pair.ends) events.length = 0;
  for (const { transport } of by) transport.rekey();
  await pair.until(() => pair.ends.every(({ events }) => events.includes("finished")));
  for (const { events } of pair.ends) {
    // A compressor that has had its turn may say that it is ready again.
    const told = new Set(events.slice(events.indexOf("started")));
    expect([...told]).toEqual(["started", "writable", "finished"]);
  }
}

/** What both sides have to say the same about. */
const agreed = ({ transport: { sessionId, hostKeyBlob, negotiated } }: End) => ({
  sessionId,
  hostKeyBlob,
  names: negotiated && namesOf(negotiated),
});

/** A whole connection: login, data, new keys, data. */
async function expectWhole(options: MemoryPairOptions): Promise<MemoryPair> {
  const pair = await MemoryPair.running(options);
  await exchangeData(pair);
  const { sessionId } = pair.client.transport;
  expect(agreed(pair.client)).toEqual(agreed(pair.server));
  await rekey(pair, pair.client);
  await exchangeData(pair);
  expect(agreed(pair.client)).toEqual(agreed(pair.server));
  expect(pair.client.transport.sessionId).toEqual(sessionId);
  return pair;
}

describe.each([...keyExchangeAlgorithms.keys()])("client and server with %s", (kex) => {
  it.each([["chacha20-poly1305@openssh.com"], ["aes128-ctr"]])("and %s", async (cipher) => {
    const pair = await expectWhole(both({ kex: [kex], cipher: [cipher] }));
    expect(pair.client.transport.negotiated?.kex.name).toBe(kex);
    expect(pair.client.transport.negotiated?.serverToClient.cipher.name).toBe(cipher);
  });
});

const protections = [...cipherAlgorithms.values()].flatMap(({ name, aead }) =>
  (aead ? [...macAlgorithms.keys()].slice(0, 1) : [...macAlgorithms.keys()]).map((mac) => [name, mac] as const),
);

describe("client and server", () => {
  const kex = ["curve25519-sha256"];

  it.each(protections)("with the cipher %s and the MAC %s", async (cipher, mac) => {
    await expectWhole(both({ kex, cipher: [cipher], mac: [mac] }));
  });

  it.each([
    ["none", "none"],
    ["zlib@openssh.com", "zlib@openssh.com"],
  ])("with compression %s", async (compression, name) => {
    const pair = await expectWhole(both({ kex, compression: [compression] }));
    expect(pair.client.transport.negotiated?.serverToClient.compression.name).toBe(name);
    // 40,000 equal characters went each way twice.
    for (const { bytesSent } of pair.ends) expect(bytesSent > 80_000).toBe(compression === "none");
  });

  const keys = (["ed25519", "ecdsa", "rsa"] as const).map((keyType) => PKey.generate({ keyType }));
  keys.push(...([384, 521] as const).map((bits) => PKey.generate({ keyType: "ecdsa", bits })));
  const authority = PKey.generate({ keyType: "ed25519" });
  const certify = (key: PKey, type: "host" | "user", validBefore?: Date) =>
    key.withCertificate(
      authority.signCertificate({
        publicKey: key.publicKey,
        type,
        keyId: "host",
        principals: ["host"],
        ...(validBefore && { validBefore }),
      }),
    );
  const hostKeys = [...keys, ...keys.map((key) => certify(key, "host"))];

  it.each(hostKeyAlgorithms)("with a host key for %s", async (name) => {
    const pair = await expectWhole({ ...both({ kex, hostKey: [name] }), hostKeys });
    const key = hostKeys.find(({ signatureAlgorithms }) => signatureAlgorithms.includes(name));
    expect(pair.offeredKeys.map(({ publicBlob }) => publicBlob)).toEqual([key?.publicBlob, key?.publicBlob]);
    expect(pair.client.transport.hostKeyBlob).toEqual(key?.publicBlob);
  });

  it("agree on the client's preference, whatever the server's", async () => {
    const pair = await expectWhole({
      clientAlgorithms: {
        kex: ["ecdh-sha2-nistp256", "curve25519-sha256"],
        hostKey: ["ecdsa-sha2-nistp256", "ssh-ed25519"],
        cipher: ["aes256-ctr", "aes128-ctr"],
        mac: ["hmac-sha2-512", "hmac-sha2-256"],
        compression: ["zlib@openssh.com", "none"],
      },
      serverAlgorithms: {
        kex: ["curve25519-sha256", "ecdh-sha2-nistp256"],
        hostKey: ["ssh-ed25519", "ecdsa-sha2-nistp256"],
        cipher: ["aes128-ctr", "aes256-ctr"],
        mac: ["hmac-sha2-256", "hmac-sha2-512"],
        compression: ["none", "zlib@openssh.com"],
      },
      hostKeys,
    });
    const direction = { cipher: "aes256-ctr", mac: "hmac-sha2-512", compression: "zlib@openssh.com" };
    expect(agreed(pair.client).names).toEqual({
      kex: "ecdh-sha2-nistp256",
      hostKey: "ecdsa-sha2-nistp256",
      clientToServer: direction,
      serverToClient: direction,
    });
  });

  it("have nothing in common", async () => {
    const pair = new MemoryPair({
      clientAlgorithms: { cipher: ["aes128-ctr"] },
      serverAlgorithms: { cipher: ["aes256-ctr"] },
    });
    await pair.settle();
    const refusal = expect.objectContaining({ message: "no common cipher (client to server) algorithm" });
    expect(pair.ends.map(({ failures }) => failures)).toEqual([[refusal], [refusal]]);
  });

  it("whose bytes come one by one", async () => {
    const pair = await MemoryPair.running({ ...both({ kex }), delivery: "byte by byte" });
    pair.client.sendData("to the server");
    pair.server.sendData("to the client");
    await rekey(pair, pair.server);
    expect([pair.server.takeData(), pair.client.takeData()]).toEqual([["to the server"], ["to the client"]]);
  });

  it("tell each other what they can do, in the first exchange", async () => {
    const told: ReadonlyMap<string, Buffer>[] = [];
    const receiveExtensions = (extensions: ReadonlyMap<string, Buffer>) => told.push(new Map(extensions));
    const pair = await MemoryPair.running({ ...both({ kex }), serverRole: { receiveExtensions } });
    await rekey(pair, pair.client);
    expect(pair.extensions).toEqual([
      new Map([
        ["server-sig-algs", signatureAlgorithms.join(",")],
        ["publickey-hostbound@openssh.com", "0"],
        ["ping@openssh.com", "0"],
      ]),
    ]);
    expect(told).toEqual([new Map([["ext-info-in-auth@openssh.com", Buffer.from("0")]])]);
  });

  it("tell nothing to a peer that does not take it", async () => {
    const told: unknown[] = [];
    const pair = await MemoryPair.running({
      ...both({ kex }),
      clientRole: { ownMarkers: { ...clientMarkers, extInfo: "no-ext-info" } },
      serverRole: {
        ownMarkers: { ...serverMarkers, extInfo: "no-ext-info" },
        receiveExtensions: (extensions) => told.push(extensions),
      },
    });
    expect([...pair.extensions, ...told]).toEqual([]);
  });
});

it("fails, and does not throw in the caller that sends, where a message cannot be sealed", async () => {
  const pair = await MemoryPair.running(both({ kex: ["curve25519-sha256"] }));
  const { transport, failures } = pair.server;
  const error = new Error("OpenSSL has failed");
  const write = vi.spyOn(PacketWriter.prototype, "write").mockImplementation(() => {
    throw error;
  });
  onTestFinished(() => write.mockRestore());
  transport.sendData(Buffer.from("head"), [Buffer.from("data")]);
  expect([failures, transport.ready]).toEqual([[error], false]);
  transport.send(Buffer.from("message"));
  transport.rekey();
  transport.disconnect(11, "the end");
  expect(failures).toEqual([error]);
});

describe("new keys", () => {
  const options = both({ kex: ["curve25519-sha256"], cipher: ["aes128-gcm@openssh.com"] });

  it.each([
    ["the client", ["client"]],
    ["the server", ["server"]],
    ["both at once", ["client", "server"]],
  ] as const)("asked for by %s, with data both ways meanwhile", async (_, by) => {
    const pair = await MemoryPair.running(options);
    const expected: string[] = [];
    const sendBoth = () => {
      const text = `${expected.length}`;
      expected.push(text);
      for (const end of pair.ends) end.sendData(text);
    };
    sendBoth();
    for (const end of by) pair[end].transport.rekey();
    // What is sent before the peer knows of the exchange arrives within it, what is sent within it afterwards.
    for (let turn = 0; turn < 20; turn++) {
      sendBoth();
      await pair.turn();
    }
    await pair.until(() => pair.ends.every(({ messages }) => messages.length === expected.length));
    for (const end of pair.ends) {
      expect(end.events).toEqual(["started", "writable", "finished"]);
      expect(end.takeData()).toEqual(expected);
    }
  });

  it("are asked for by the side that has sent or received enough", async () => {
    const pair = await MemoryPair.running({ ...options, rekeyBytes: 20_000 });
    for (let index = 0; index < 50; index++) pair.server.sendData("x".repeat(1000));
    await pair.until(() => pair.ends.every(({ events }) => events.includes("finished")));
    expect(pair.client.takeData()).toHaveLength(50);
  });

  it("come from the server before the login is over", async () => {
    const pair = new MemoryPair(options);
    await pair.exchangeKeys();
    // The machine of a server does not ask for keys before the login, so its owner is said to be further.
    pair.server.transport.enter("running");
    pair.server.transport.rekey();
    await pair.until(() => pair.ends.every(({ events }) => events.filter((name) => name === "finished").length === 2));
    expect(pair.offeredKeys).toHaveLength(2);
  });
});

describe("sequence numbers", () => {
  const name = "recording";
  /** The numbers of the packets opened with each set of keys. */
  const opened: number[][] = [];
  const recording: CipherAlgorithm = {
    name,
    keyLength: 16,
    ivLength: 16,
    aead: true,
    createSealer: () => recordingProtection().sealer,
    createOpener: () => {
      const { opener, sequenceNumbers } = recordingProtection();
      opened.push(sequenceNumbers);
      return opener;
    },
  };
  const registry = cipherAlgorithms as Map<string, CipherAlgorithm>;
  registry.set(name, recording);
  afterAll(() => registry.delete(name));

  /** Knows nothing of strict key exchange. */
  const nothing = { extInfo: "no-ext-info", strict: "no-strict" };
  const lax = { ownMarkers: nothing, peerMarkers: nothing };

  it.each([
    // KEXINIT, the method's message and NEWKEYS have gone before.
    ["start anew with each NEWKEYS when both sides are strict", {}, { first: 0, second: 0 }],
    ["run on when the client is not strict", { clientRole: lax }, { first: 3, second: undefined }],
    ["run on when the server is not strict", { serverRole: lax }, { first: 3, second: undefined }],
  ])("%s", async (_, roles, { first, second }) => {
    opened.length = 0;
    const pair = await MemoryPair.running({
      ...both({ kex: ["curve25519-sha256"], cipher: [name] }),
      ...roles,
    });
    await rekey(pair, pair.client);
    for (const end of pair.ends) end.sendData("under the new keys");
    await pair.until(() => pair.ends.every(({ messages }) => messages.length === 1));
    const ascending = (numbers: (number | undefined)[]) => numbers.map((number) => number ?? -1).sort((a, b) => a - b);
    const [firstKeys, secondKeys] = [opened.slice(0, 2), opened.slice(2)];
    expect(firstKeys.map(([number]) => number)).toEqual([first, first]);
    const goesOn = ascending(firstKeys.map((numbers) => (numbers.at(-1) ?? 0) + 1));
    expect(ascending(secondKeys.map(([number]) => number))).toEqual(second === undefined ? goesOn : [second, second]);
  });
});
