import { getDiffieHellman, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { diffieHellmanGroupExchangeSha256 as algorithm } from "../../../src/crypto/kex/group-exchange.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { REFUSED, rawMpintPayload, refusalOf, runExchange } from "../../support/exchange.js";
import { startGroupExchange } from "../../support/kex-client.js";

const requestPayload = (minimum: number, preferred: number, maximum: number) =>
  new Writer().writeByte(34).writeUint32(minimum).writeUint32(preferred).writeUint32(maximum).toBuffer();

function offeredBits(minimum: number, preferred: number, maximum: number): number {
  const step = algorithm.startServer().receive(requestPayload(minimum, preferred, maximum));
  if (step.kind !== "continue") throw new Error("no group was offered");
  const reader = new Reader(step.payload);
  expect(reader.readByte()).toBe(31);
  const bits = reader.readMpint().length * 8;
  expect(reader.readMpint()).toEqual(Buffer.of(2));
  reader.end();
  return bits;
}

/** An exchange that has offered its group of 2048 bits and waits for e. */
function afterGroup() {
  const exchange = algorithm.startServer();
  exchange.receive(requestPayload(2048, 2048, 2048));
  return exchange;
}

describe("the choice of the group", () => {
  it.each([
    { request: [2048, 3072, 8192], bits: 3072 },
    { request: [1024, 1024, 8192], bits: 2048 },
    { request: [2048, 2049, 8192], bits: 3072 },
    { request: [2048, 7680, 8192], bits: 8192 },
    { request: [2048, 5000, 6000], bits: 4096 },
    { request: [2048, 8192, 16384], bits: 8192 },
    { request: [2048, 16384, 16384], bits: 8192 },
    { request: [0, 0, 0xffffffff], bits: 2048 },
  ])("offers $bits bits for $request", ({ request: [minimum = 0, preferred = 0, maximum = 0], bits }) => {
    expect(offeredBits(minimum, preferred, maximum)).toBe(bits);
  });

  it.each([
    [1024, 1024, 1024],
    [1024, 1024, 2047],
    [8193, 8193, 16384],
    [5000, 5000, 5001],
    [3072, 2048, 8192],
    [2048, 8192, 4096],
    [8192, 4096, 2048],
  ])("refuses to serve %i, %i, %i", (minimum, preferred, maximum) => {
    expect(refusalOf(algorithm.startServer(), requestPayload(minimum, preferred, maximum))).toBe(REFUSED);
  });

  it("refuses the request of the old form", () => {
    const old = new Writer().writeByte(30).writeUint32(2048).toBuffer();
    expect(refusalOf(algorithm.startServer(), old)).toBe(REFUSED);
  });
});

describe("the exchange", () => {
  it.each([2048, 3072, 4096, 6144, 8192])("runs in the group of %i bits", (bits) => {
    const { server, client } = runExchange(algorithm, startGroupExchange(bits, bits, bits));
    expect(client.transcript).toEqual(server.transcript);
    expect(client.sharedSecret).toEqual(server.sharedSecret);
  });

  it("covers the request and the group in the transcript", () => {
    const { server } = runExchange(algorithm, startGroupExchange(1024, 2000, 9000));
    const reader = new Reader(server.transcript);
    expect([reader.readUint32(), reader.readUint32(), reader.readUint32()]).toEqual([1024, 2000, 9000]);
    expect(reader.readMpint()).toEqual(getDiffieHellman("modp14").getPrime());
    expect(reader.readMpint()).toEqual(Buffer.of(2));
  });

  it("refuses e before the request, and a second request", () => {
    expect(refusalOf(algorithm.startServer(), rawMpintPayload(32, Buffer.of(2)))).toBe(REFUSED);
    const exchange = afterGroup();
    expect(refusalOf(exchange, requestPayload(2048, 2048, 2048))).toBe(REFUSED);
    expect(refusalOf(exchange, rawMpintPayload(32, Buffer.of(2)))).toBe(REFUSED);
  });

  it("refuses an e that is out of range or malformed", () => {
    const prime = getDiffieHellman("modp14").getPrime();
    const last = prime.length - 1;
    const primeMinusOne = Buffer.concat([prime.subarray(0, last), Buffer.of(prime.readUInt8(last) - 1)]);
    const positive = (magnitude: Buffer) => Buffer.concat([Buffer.of(0), magnitude]);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.of(1),
      positive(primeMinusOne),
      positive(prime),
      prime,
      Buffer.of(0, 2),
    ]) {
      expect(refusalOf(afterGroup(), rawMpintPayload(32, bytes))).toBe(REFUSED);
    }
    expect(refusalOf(afterGroup(), Buffer.concat([rawMpintPayload(32, Buffer.of(2)), Buffer.alloc(1)]))).toBe(REFUSED);
    expect(refusalOf(afterGroup(), rawMpintPayload(32, Buffer.of(2)))).toBeUndefined();
  });
});

/** A power modulo an odd number, by the plainest means. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if (rest & 1n) result = (result * square) % modulus;
  }
  return result;
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);

function bytesOf(value: bigint): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
}

const groupPayload = (p: bigint, g: bigint) =>
  new Writer().writeByte(31).writeMpint(bytesOf(p)).writeMpint(bytesOf(g)).toBuffer();
const replyPayload = (f: bigint) =>
  new Writer().writeByte(33).writeString("host key").writeMpint(bytesOf(f)).writeString("signature").toBuffer();

/** A group of a server's own: an odd number of exactly so many bits. */
const oddNumber = (bits: number) => {
  const top = 1n << BigInt(bits - 1);
  return top | (numberOf(randomBytes(Math.ceil(bits / 8))) % top) | 1n;
};

describe("the client", () => {
  it("asks for 2048 to 8192 bits", () => {
    expect(algorithm.startClient().opening).toEqual(requestPayload(2048, 3072, 8192));
  });

  it.each([
    { bits: 2048, g: 2n },
    { bits: 2049, g: 5n },
    { bits: 3071, g: 1n << 2100n },
  ])("agrees in any group, of $bits bits", ({ bits, g }) => {
    const p = oddNumber(bits);
    const client = algorithm.startClient();
    // What came is overwritten by what comes next.
    const received = groupPayload(p, g);
    const step = client.receive(received);
    received.fill(0);
    if (step.kind !== "continue") throw new Error("the client is done too early");
    const reader = new Reader(step.payload);
    expect(reader.readByte()).toBe(32);
    const e = reader.readMpint();
    reader.end();
    const y = numberOf(randomBytes(64));
    const f = power(g, y, p);
    const done = client.receive(replyPayload(f));
    if (done.kind !== "done") throw new Error("the client is not done");
    const secret = bytesOf(power(numberOf(e), y, p));
    expect(done.sharedSecret).toEqual(new Writer().writeMpint(secret).toBuffer());
    const transcript = new Writer().writeBytes(requestPayload(2048, 3072, 8192).subarray(1));
    for (const bytes of [bytesOf(p), bytesOf(g), e, bytesOf(f)]) transcript.writeMpint(bytes);
    expect(done.transcript).toEqual(transcript.toBuffer());
  });

  it("refuses a group of another size than it has asked for, however large", () => {
    for (const bits of [1, 1024, 2047, 8193, 16384, 1_000_000]) {
      expect(refusalOf(algorithm.startClient(), groupPayload(oddNumber(bits), 2n)), `${bits}`).toBe(REFUSED);
    }
  });

  it("refuses an even modulus, and a generator outside of 2 to p-2", () => {
    const p = oddNumber(2048);
    expect(refusalOf(algorithm.startClient(), groupPayload(p - 1n, 2n))).toBe(REFUSED);
    for (const g of [0n, 1n, p - 1n, p, p + 2n]) {
      expect(refusalOf(algorithm.startClient(), groupPayload(p, g))).toBe(REFUSED);
    }
    expect(refusalOf(algorithm.startClient(), groupPayload(p, p - 2n))).toBeUndefined();
  });

  it("refuses an f outside of 2 to p-2", () => {
    const p = oddNumber(2048);
    const afterItsGroup = () => {
      const client = algorithm.startClient();
      client.receive(groupPayload(p, 2n));
      return client;
    };
    for (const f of [0n, 1n, p - 1n, p, p + 2n]) expect(refusalOf(afterItsGroup(), replyPayload(f))).toBe(REFUSED);
    expect(refusalOf(afterItsGroup(), replyPayload(2n))).toBeUndefined();
  });

  it("refuses a reply before its group, and a second group", () => {
    expect(refusalOf(algorithm.startClient(), replyPayload(2n))).toBe(REFUSED);
    const client = algorithm.startClient();
    client.receive(groupPayload(oddNumber(2048), 2n));
    expect(refusalOf(client, groupPayload(oddNumber(2048), 2n))).toBe(REFUSED);
  });
});
