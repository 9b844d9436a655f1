import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChaCha20, chacha20 } from "../../../src/crypto/cipher/chacha20.js";
import {
  type ChaCha20Poly1305Primitives,
  chacha20Poly1305Algorithm,
} from "../../../src/crypto/cipher/chacha20-poly1305.js";
import type { CipherAlgorithm } from "../../../src/crypto/cipher/packet-cipher.js";
import { authenticate } from "../../../src/crypto/cipher/poly1305.js";
import { bytes, cipherPaths, clearPacket, expectMacError, expectNoClearText, open, seal } from "./packets.js";
import { chacha20KeyStream, referencePoly1305, xor } from "./reference.js";

const portable: ChaCha20Poly1305Primitives = { chacha20, authenticate };

const keys = { key: bytes(64, 1), iv: Buffer.alloc(0) };

/** PROTOCOL.chacha20poly1305, assembled from whole key streams. */
function referenceSeal(key: Buffer, content: Buffer, sequenceNumber: number): Buffer {
  const clear = clearPacket(content, 0);
  const payloadStream = chacha20KeyStream(key.subarray(0, 32), sequenceNumber, 64 + content.length);
  const lengthStream = chacha20KeyStream(key.subarray(32), sequenceNumber, 4);
  const ciphertext = Buffer.concat([
    xor(lengthStream, clear.subarray(0, 4)),
    xor(payloadStream.subarray(64), clear.subarray(4)),
  ]);
  return Buffer.concat([ciphertext, referencePoly1305(payloadStream.subarray(0, 32), ciphertext)]);
}

/** Where the two functions are not the addon's own. */
describe("chacha20 by node:crypto", () => {
  it("has the key stream of RFC 8439 appendix A.1, numbers 1, 2 and 5", () => {
    const block = (nonce: Buffer, counter: number): string => {
      const data = Buffer.alloc(64);
      chacha20(data, nonce, counter, Buffer.alloc(32));
      return data.toString("hex");
    };
    expect(block(Buffer.alloc(8), 0)).toMatch(/^76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7/);
    expect(block(Buffer.alloc(8), 1)).toMatch(/^9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed/);
    expect(block(Buffer.of(0, 0, 0, 0, 0, 0, 0, 2), 0)).toMatch(/^c2c64d378cd536374ae204b9ef933fcd/);
  });
});

const native = cipherPaths
  .filter(({ name }) => name === "addon")
  .flatMap(({ ciphers }) => ciphers.filter(({ name }) => name === "chacha20-poly1305@openssh.com"))
  .map((algorithm): [string, CipherAlgorithm] => ["the addon", algorithm]);
const algorithms: [string, CipherAlgorithm][] = [
  ["node:crypto and WebAssembly", chacha20Poly1305Algorithm(portable)],
  ...native,
];

describe.each(algorithms)("chacha20-poly1305@openssh.com by %s", (_, algorithm) => {
  it("seals as the definition says", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 64 }).map((key) => Buffer.from(key)),
        fc.uint8Array({ minLength: 8, maxLength: 400 }).map((content) => Buffer.from(content)),
        fc.nat(2 ** 32 - 1),
        (key, content, sequenceNumber) => {
          const sealed = seal(algorithm.createSealer({ ...keys, key }), content, sequenceNumber);
          expect(sealed.equals(referenceSeal(key, content, sequenceNumber))).toBe(true);
        },
      ),
    );
  });

  it("seals and opens full packets", () => {
    const content = bytes(32 * 1024 + 24, 3);
    const sealed = seal(algorithm.createSealer(keys), content, 0xffff_ffff);
    expect(sealed.equals(referenceSeal(keys.key, content, 0xffff_ffff))).toBe(true);
    expect(open(algorithm.createOpener(keys), sealed, 0xffff_ffff).equals(content)).toBe(true);
  });

  it("leaves no clear text in a packet whose tag is wrong", () => {
    const sealed = seal(algorithm.createSealer(keys), bytes(32, 0), 0);
    sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1);
    expectNoClearText(algorithm.createOpener(keys), sealed, 0);
  });
});

describe("an opener of chacha20-poly1305@openssh.com by node:crypto", () => {
  it("decrypts nothing of a packet whose tag is wrong", () => {
    const blocksUsed: number[] = [];
    const watched: ChaCha20 = (data, nonce, counter, key) => {
      blocksUsed.push(counter);
      chacha20(data, nonce, counter, key);
    };
    const opener = chacha20Poly1305Algorithm({ ...portable, chacha20: watched }).createOpener(keys);
    const sealed = seal(chacha20Poly1305Algorithm(portable).createSealer(keys), bytes(32, 0), 0);
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    const before = Buffer.from(changed);
    expectMacError(() => opener.open(changed, 0));
    expect(changed).toEqual(before);
    expect(blocksUsed).toEqual([0]);
  });
});
