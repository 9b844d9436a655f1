import { createHash, getDiffieHellman } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  diffieHellmanGroup14Sha256,
  diffieHellmanGroup16Sha512,
  diffieHellmanGroup18Sha512,
} from "../../../src/crypto/kex/diffie-hellman.js";
import { DisconnectReason } from "../../../src/protocol/constants.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { REFUSED, rawMpintPayload, refusalOf, runExchange } from "../../support/exchange.js";
import { startClient } from "../../support/kex-client.js";

describe.each([
  { algorithm: diffieHellmanGroup14Sha256, group: "modp14", bits: 2048 },
  { algorithm: diffieHellmanGroup16Sha512, group: "modp16", bits: 4096 },
  { algorithm: diffieHellmanGroup18Sha512, group: "modp18", bits: 8192 },
])("$algorithm.name", ({ algorithm, group, bits }) => {
  const prime = getDiffieHellman(group).getPrime();
  const refusal = (magnitude: Uint8Array) =>
    refusalOf(algorithm.startServer(), new Writer().writeByte(30).writeMpint(magnitude).toBuffer());
  const primePlus = (offset: number) => {
    const value = Buffer.from(prime);
    value.writeUInt32BE(prime.readUInt32BE(prime.length - 4) + offset, prime.length - 4);
    return value;
  };

  it(`works in the group of ${bits} bits`, () => {
    expect(prime).toHaveLength(bits / 8);
    const { server } = runExchange(algorithm, startClient(algorithm.name));
    const transcript = new Reader(server.transcript);
    transcript.readMpint();
    expect(transcript.readMpint().length).toBeGreaterThan(bits / 8 - 8);
    transcript.end();
  });

  it("refuses 0, 1, p-1, p and what is beyond", () => {
    expect(refusal(Buffer.alloc(0))).toBe(REFUSED);
    expect(refusal(Buffer.of(1))).toBe(REFUSED);
    expect(refusal(primePlus(-1))).toBe(REFUSED);
    expect(refusal(prime)).toBe(REFUSED);
    expect(refusal(Buffer.alloc(prime.length, 0xff))).toBe(REFUSED);
    expect(refusal(Buffer.concat([Buffer.of(1), prime]))).toBe(REFUSED);
  });

  it("takes the smallest value, which is the generator", () => {
    expect(refusal(Buffer.of(2))).toBeUndefined();
  });

  it("refuses mpints that are negative or have bytes in front that need not be", () => {
    const exchange = (bytes: Uint8Array) => refusalOf(algorithm.startServer(), rawMpintPayload(30, bytes));
    expect(exchange(Buffer.of(0x80))).toBe(REFUSED);
    expect(exchange(Buffer.alloc(prime.length, 0xfe))).toBe(REFUSED);
    expect(exchange(Buffer.of(0))).toBe(REFUSED);
    expect(exchange(Buffer.of(0, 2))).toBe(REFUSED);
    expect(exchange(Buffer.concat([Buffer.of(0), Buffer.alloc(100, 0x7f)]))).toBe(REFUSED);
  });
});

it("names the reason of a refusal", () => {
  expect(REFUSED).toBe(DisconnectReason.KEY_EXCHANGE_FAILED);
});

it("does not reuse an exponent", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const step = diffieHellmanGroup14Sha256.startServer().receive(rawMpintPayload(30, Buffer.of(2)));
    if (step.kind !== "done") throw new Error("the exchange is not done");
    seen.add(createHash("sha256").update(step.sharedSecret).digest("hex"));
  }
  expect(seen.size).toBe(20);
});
