import { describe, expect, it } from "vitest";
import { bytes, cipherPaths, clearPacket, expectMacError, expectNoClearText, open, seal, suites } from "./packets.js";
import { aesCtrKeyStream, referenceHmac, xor } from "./reference.js";

const sequence = (number: number): Buffer => {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(number, 0);
  return field;
};

describe.each(suites.filter(({ cipher }) => !cipher.aead))("$name by $path", ({ cipher, keys: { key, mac } }) => {
  if (mac === undefined) throw new Error("a cipher that is no AEAD comes with a MAC");
  const { hash, encryptThenMac } = mac.algorithm;

  it("seals as the definition says, the key stream running on over packets and over the end of the counter", () => {
    const keys = { key, iv: Buffer.alloc(16, 0xff), mac };
    const sealer = cipher.createSealer(keys);
    const opener = cipher.createOpener(keys);
    const stream = aesCtrKeyStream(key, keys.iv, 1000);
    let used = 0;
    for (const [number, length] of [32, 16, 96].entries()) {
      const content = bytes(encryptThenMac ? length : length - 4, number);
      const clear = clearPacket(content, 0);
      const inClear = encryptThenMac ? 4 : 0;
      const encrypted = Buffer.concat([
        clear.subarray(0, inClear),
        xor(stream.subarray(used), clear.subarray(inClear)),
      ]);
      used += clear.length - inClear;
      const covered = Buffer.concat([sequence(number), encryptThenMac ? encrypted : clear]);
      const sealed = seal(sealer, content, number);
      expect(sealed.toString("hex")).toBe(
        Buffer.concat([encrypted, referenceHmac(hash, mac.key, covered)]).toString("hex"),
      );
      expect(open(opener, sealed, number).equals(content)).toBe(true);
    }
  });

  it("refuses another sequence number", () => {
    const keys = { key, iv: Buffer.alloc(16), mac };
    const sealed = seal(cipher.createSealer(keys), bytes(encryptThenMac ? 32 : 28, 0), 5);
    expectMacError(() => open(cipher.createOpener(keys), Buffer.from(sealed), 6));
    expect(open(cipher.createOpener(keys), Buffer.from(sealed), 5)).toHaveLength(encryptThenMac ? 32 : 28);
  });

  it("leaves no clear text in a packet whose tag is wrong", () => {
    const keys = { key, iv: Buffer.alloc(16), mac };
    const sealed = seal(cipher.createSealer(keys), bytes(encryptThenMac ? 32 : 28, 0), 0);
    sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1);
    expectNoClearText(cipher.createOpener(keys), sealed, 0);
  });
});

it.each(cipherPaths)("cannot be used without a MAC by $name", ({ ciphers }) => {
  for (const { keyLength, ivLength, createSealer, createOpener } of ciphers.filter(({ aead }) => !aead)) {
    const keys = { key: Buffer.alloc(keyLength), iv: Buffer.alloc(ivLength) };
    expect(() => createSealer(keys)).toThrow(TypeError);
    expect(() => createOpener(keys)).toThrow(TypeError);
  }
});
