import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encapsulate, generateKeyPair } from "../../../src/crypto/kex/sntrup761-kem.js";
import { shortPolynomial } from "../../../src/crypto/kex/sntrup761-ring.js";
import { NistDrbg } from "../../support/nist-drbg.js";
import { decapsulateSntrup761, encrypt, generateSntrup761KeyPair } from "../../support/sntrup761-client.js";

describe("encapsulate", () => {
  it("gives the known answer of draft-josefsson-ntruprime-streamlined, vector 0", () => {
    // The seed that NIST's known-answer tests begin with; the reference draws each random word by itself.
    const seed = Buffer.from(
      "061550234d158c5ec95595fe04ef7a25767f2e24cc2bc479d09d86dc9abcfde7056a8c266f9ef97ed08541dbd2e1ffa1",
      "hex",
    );
    const randomOf = (drbg: NistDrbg) => (length: number) =>
      length % 4 === 0
        ? Buffer.concat(Array.from({ length: length / 4 }, () => drbg.bytes(4)))
        : Buffer.from(drbg.bytes(length));
    const random = randomOf(new NistDrbg(seed));
    const pair = generateSntrup761KeyPair(random);
    expect(pair.publicKey.subarray(0, 16).toString("hex")).toBe("36c969cf1008a6aa9551a784941c65a9");
    const ours = generateKeyPair(randomOf(new NistDrbg(seed)));
    expect(ours.publicKey).toEqual(pair.publicKey);

    const { ciphertext, secret } = encapsulate(pair.publicKey, random(3044));
    expect(Buffer.from(ciphertext).subarray(0, 16).toString("hex")).toBe("84f327d38929039ef84366ab796a96e6");
    expect(Buffer.from(ciphertext).subarray(-15).toString("hex")).toBe("d361f944ddb56d3114ee974c96a155");
    // The secret is a hash over the input and the whole ciphertext, so it vouches for every byte of both.
    expect(Buffer.from(secret).toString("hex")).toBe(
      "344ca5e25f6da5ea95e4a695b1c5446eca9859334532e4a9537669f012c743a2",
    );
    expect(ours.decapsulate(Buffer.from(ciphertext))).toEqual(secret);
  });

  it("is undone by decapsulation", () => {
    for (let i = 0; i < 5; i++) {
      const pair = generateSntrup761KeyPair();
      const { ciphertext, secret } = encapsulate(pair.publicKey);
      expect(ciphertext).toHaveLength(1039);
      expect(decapsulateSntrup761(pair, Buffer.from(ciphertext))).toEqual({
        secret: Buffer.from(secret),
        accepted: true,
      });
    }
  });

  it("leaves nothing to a client that changes a bit of the ciphertext", () => {
    const pair = generateSntrup761KeyPair();
    const { ciphertext, secret } = encapsulate(pair.publicKey);
    for (const place of [0, 500, 1006, 1007, 1038]) {
      const changed = Buffer.from(ciphertext);
      changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
      const result = decapsulateSntrup761(pair, changed);
      expect(result.accepted).toBe(false);
      expect(result.secret).not.toEqual(Buffer.from(secret));
    }
  });

  it("computes the ciphertext as the definition does, for any bytes as the public key", () => {
    for (const publicKey of [randomBytes(1158), Buffer.alloc(1158), Buffer.alloc(1158, 0xff)]) {
      const random = randomBytes(3044);
      const expected = encrypt(publicKey, [...shortPolynomial(random)]);
      expect(Buffer.from(encapsulate(publicKey, random).ciphertext)).toEqual(expected);
    }
  });

  it("erases its randomness", () => {
    const random = randomBytes(3044);
    encapsulate(randomBytes(1158), random);
    expect(random).toEqual(Buffer.alloc(3044));
  });
});

it("generateKeyPair makes the key of the definition, which opens as the definition says what is refused too", () => {
  /** Gives the same bytes each time it is made. */
  const seeded = () => {
    const drbg = new NistDrbg(createHash("sha384").update("seed").digest());
    return (length: number) => Buffer.from(drbg.bytes(length));
  };
  const theirs = generateSntrup761KeyPair(seeded());
  const ciphertext = Buffer.from(encapsulate(theirs.publicKey).ciphertext);
  // Among the rounded coefficients, which gives an input of another weight, and in the confirmation.
  for (const place of [undefined, 0, 1006, 1038]) {
    const received = Buffer.from(ciphertext);
    if (place !== undefined) received.writeUInt8(received.readUInt8(place) ^ 1, place);
    const ours = generateKeyPair(seeded());
    const { secret, accepted } = decapsulateSntrup761(theirs, received);
    expect(accepted).toBe(place === undefined);
    expect(ours.publicKey).toEqual(theirs.publicKey);
    expect(ours.decapsulate(received)).toEqual(secret);
  }
});
