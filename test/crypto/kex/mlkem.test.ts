import { createHash } from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { describe, expect, it } from "vitest";
import { mlkem768x25519Sha256 } from "../../../src/crypto/kex/mlkem.js";
import { Writer } from "../../../src/protocol/writer.js";
import { REFUSED, refusalOf } from "../../support/exchange.js";
import { initPayload, startClient, x25519Pair } from "../../support/kex-client.js";

const refusal = (clientValue: Buffer) => refusalOf(mlkem768x25519Sha256.startServer(), initPayload(clientValue));

describe("mlkem768x25519-sha256", () => {
  const encapsulationKey = Buffer.from(ml_kem768.keygen().publicKey);
  const { publicValue } = x25519Pair();

  it("answers with ciphertext and public value and makes K a string of one hash", () => {
    const step = mlkem768x25519Sha256.startServer().receive(startClient("mlkem768x25519-sha256").init);
    if (step.kind !== "done") throw new Error("the exchange is not done");
    expect(step.transcript).toHaveLength(4 + 1184 + 32 + 4 + 1088 + 32);
    expect(step.sharedSecret).toHaveLength(4 + 32);
    expect(step.sharedSecret.readUInt32BE(0)).toBe(32);
  });

  it.each([0, 32, 1184, 1215, 1217, 1190])("refuses a value of %i bytes", (length) => {
    expect(refusal(Buffer.concat([encapsulationKey, publicValue, publicValue]).subarray(0, length))).toBe(REFUSED);
  });

  it("refuses a coefficient of q or more (FIPS 203 §7.2), in every place of the byte triples", () => {
    for (const [first, second] of [
      [3329, 0],
      [0, 3329],
      [4095, 0],
      [0, 4095],
    ] as const) {
      for (const offset of [0, 384, 1149]) {
        const malformed = Buffer.from(encapsulationKey);
        malformed.writeUIntLE(first + second * 4096, offset, 3);
        expect(refusal(Buffer.concat([malformed, publicValue])), `${first}, ${second} at ${offset}`).toBe(REFUSED);
      }
    }
    const largest = Buffer.from(encapsulationKey);
    largest.writeUIntLE(3328 + 3328 * 4096, 0, 3);
    expect(refusal(Buffer.concat([largest, publicValue]))).toBeUndefined();
  });

  it("refuses a small order point beside a good encapsulation key", () => {
    expect(refusal(Buffer.concat([encapsulationKey, Buffer.alloc(32)]))).toBe(REFUSED);
  });
});

it("the client opens what another implementation has sealed", () => {
  const client = mlkem768x25519Sha256.startClient();
  const clientValue = client.opening.subarray(5);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(clientValue.subarray(0, 1184));
  const pair = x25519Pair();
  const reply = new Writer().writeByte(31).writeString("host key");
  reply.writeString(Buffer.concat([cipherText, pair.publicValue])).writeString("signature");
  const step = client.receive(reply.toBuffer());
  if (step.kind !== "done") throw new Error("the exchange is not done");
  const classic = pair.agree(clientValue.subarray(1184));
  const secret = createHash("sha256").update(sharedSecret).update(classic).digest();
  expect(step.sharedSecret).toEqual(new Writer().writeString(secret).toBuffer());
});

it("the ML-KEM that is used is FIPS 203's", () => {
  // d || z = 0..63 and m = 0..31. OpenSSL 3.5 makes the same key of this seed and the same secret of this ciphertext.
  const seed = Uint8Array.from({ length: 64 }, (_, i) => i);
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, seed.subarray(0, 32));
  expect(Buffer.from(ml_kem768.decapsulate(cipherText, secretKey))).toEqual(Buffer.from(sharedSecret));
  const fingerprint = createHash("sha256").update(publicKey).update(cipherText).update(sharedSecret).digest("hex");
  expect(fingerprint).toBe("ad596ae29741d0e589f80420a4f6702ad123ea92448700d53e46328df9dc56ae");
});
