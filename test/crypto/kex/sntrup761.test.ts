import { describe, expect, it } from "vitest";
import { sntrup761x25519Sha512 } from "../../../src/crypto/kex/sntrup761.js";
import { REFUSED, refusalOf } from "../../support/exchange.js";
import { initPayload, startClient, x25519Pair } from "../../support/kex-client.js";
import { generateSntrup761KeyPair } from "../../support/sntrup761-client.js";

const refusal = (clientValue: Buffer) => refusalOf(sntrup761x25519Sha512.startServer(), initPayload(clientValue));

describe("sntrup761x25519-sha512", () => {
  const { publicKey } = generateSntrup761KeyPair();
  const { publicValue } = x25519Pair();

  it("answers with ciphertext and public value and makes K a string of one hash", () => {
    const step = sntrup761x25519Sha512.startServer().receive(startClient("sntrup761x25519-sha512").init);
    if (step.kind !== "done") throw new Error("the exchange is not done");
    expect(step.transcript).toHaveLength(4 + 1158 + 32 + 4 + 1039 + 32);
    expect(step.sharedSecret).toHaveLength(4 + 64);
    expect(step.sharedSecret.readUInt32BE(0)).toBe(64);
  });

  it.each([0, 32, 1158, 1189, 1191])("refuses a value of %i bytes", (length) => {
    expect(refusal(Buffer.concat([publicKey, publicValue, publicValue]).subarray(0, length))).toBe(REFUSED);
  });

  it("refuses a small order point beside a good public key", () => {
    expect(refusal(Buffer.concat([publicKey, Buffer.alloc(32)]))).toBe(REFUSED);
  });

  it("serves any public key of the right length", () => {
    expect(refusal(Buffer.concat([Buffer.alloc(1158, 0xff), publicValue]))).toBeUndefined();
    expect(refusal(Buffer.concat([Buffer.alloc(1158), publicValue]))).toBeUndefined();
  });
});
