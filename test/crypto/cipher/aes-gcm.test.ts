import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytes, cipherPaths, clearPacket, expectNoClearText, open, seal } from "./packets.js";
import { aesCtrKeyStream, xor } from "./reference.js";

/** Multiplication in GF(2^128) as NIST SP 800-38D §6.3 has it: the leftmost bit is the coefficient of x^0. */
function multiply(left: bigint, right: bigint): bigint {
  let product = 0n;
  let factor = right;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((left >> bit) & 1n) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ (0xe1n << 120n) : factor >> 1n;
  }
  return product;
}

/** AES-GCM from AES and GHASH, with the length field as additional data. */
function referenceSeal(key: Buffer, nonce: Buffer, content: Buffer): Buffer {
  const clear = clearPacket(content, 0);
  const initial = Buffer.concat([nonce, Buffer.of(0, 0, 0, 1)]);
  const stream = aesCtrKeyStream(key, initial, 16 + content.length);
  const ciphertext = xor(stream.subarray(16), content);
  const lengths = Buffer.alloc(16);
  lengths.writeUInt32BE(4 * 8, 4);
  lengths.writeUInt32BE(content.length * 8, 12);
  const pad = (data: Buffer) => Buffer.concat([data, Buffer.alloc(-data.length & 15)]);
  const authenticated = Buffer.concat([pad(clear.subarray(0, 4)), pad(ciphertext), lengths]);
  const ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  const hashKey = BigInt(`0x${ecb.update(Buffer.alloc(16)).toString("hex")}`);
  let hash = 0n;
  for (let offset = 0; offset < authenticated.length; offset += 16) {
    hash = multiply(hash ^ BigInt(`0x${authenticated.subarray(offset, offset + 16).toString("hex")}`), hashKey);
  }
  const tag = xor(stream, Buffer.from(hash.toString(16).padStart(32, "0"), "hex"));
  return Buffer.concat([clear.subarray(0, 4), ciphertext, tag]);
}

const algorithms = cipherPaths.flatMap(({ name: path, ciphers }) =>
  ciphers.filter(({ name }) => name.includes("gcm")).map((algorithm) => ({ name: algorithm.name, path, algorithm })),
);

describe.each(algorithms)("$name by $path", ({ algorithm }) => {
  const key = bytes(algorithm.keyLength, 7);

  it.each([
    { name: "from an ordinary start", iv: "00112233445566778899aabb", next: "00112233445566778899aabc" },
    { name: "with a carry", iv: "0011223344556677ffffffff", next: "001122334455667800000000" },
    {
      name: "over the end of its eight bytes, not into the fixed four",
      iv: "00112233ffffffffffffffff",
      next: "001122330000000000000000",
    },
  ])("counts packets $name", ({ iv, next }) => {
    const keys = { key, iv: Buffer.from(iv, "hex") };
    const sealer = algorithm.createSealer(keys);
    const opener = algorithm.createOpener(keys);
    for (const nonce of [iv, next]) {
      const content = bytes(48, 99);
      const sealed = seal(sealer, content, 0);
      expect(sealed.toString("hex")).toBe(referenceSeal(key, Buffer.from(nonce, "hex"), content).toString("hex"));
      expect(open(opener, sealed, 0).equals(content)).toBe(true);
    }
    expect(keys.iv.toString("hex")).toBe(iv);
  });

  it("leaves no clear text in a packet whose tag is wrong", () => {
    const keys = { key, iv: Buffer.alloc(12, 1) };
    const sealed = seal(algorithm.createSealer(keys), bytes(32, 0), 0);
    sealed.writeUInt8(sealed.readUInt8(20) ^ 1, 20);
    expectNoClearText(algorithm.createOpener(keys), sealed, 0);
  });
});
