import { getDiffieHellman } from "node:crypto";
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
