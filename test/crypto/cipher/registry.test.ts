import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cipherAlgorithms, macAlgorithms } from "../../../src/crypto/cipher/registry.js";
import { extent } from "../../support/extent.js";
import { alignedContent, clearPacket, expectMacError, open, seal, suites } from "./packets.js";

describe("registries", () => {
  it("hold every algorithm under its own name, the preferred first", () => {
    expect([...cipherAlgorithms.keys()]).toEqual([
      "chacha20-poly1305@openssh.com",
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "aes128-ctr",
      "aes192-ctr",
      "aes256-ctr",
    ]);
    expect([...macAlgorithms.keys()]).toEqual([
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
    ]);
    for (const [name, algorithm] of [...cipherAlgorithms, ...macAlgorithms]) expect(algorithm.name).toBe(name);
  });
});

describe.each(suites)("$name by $path", ({ cipher, keys }) => {
  it("opens what it seals, packet after packet, of any size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 30_000, max: 40_000 })), { minLength: 1, maxLength: 5 }),
        fc.nat(2 ** 32 - 10),
        (sizes, firstSequenceNumber) => {
          const sealer = cipher.createSealer(keys);
          const opener = cipher.createOpener(keys);
          for (const [index, size] of sizes.entries()) {
            const content = alignedContent(sealer, size);
            const packet = seal(sealer, content, firstSequenceNumber + index);
            const header = Buffer.from(packet.subarray(0, opener.headerLength));
            expect(opener.readLength(header, firstSequenceNumber + index)).toBe(content.length);
            expect(header).toEqual(packet.subarray(0, opener.headerLength));
            expect(opener.open(packet, firstSequenceNumber + index).equals(content)).toBe(true);
          }
        },
      ),
      { numRuns: extent(5, 30) },
    );
  });

  it("opens the largest packet", () => {
    const sealer = cipher.createSealer(keys);
    const content = alignedContent(sealer, 256 * 1024 - 64);
    expect(open(cipher.createOpener(keys), seal(sealer, content, 7), 7).equals(content)).toBe(true);
  });

  it("hides the content", () => {
    const sealer = cipher.createSealer(keys);
    const content = alignedContent(sealer, 64);
    expect(seal(sealer, content, 0).includes(content.subarray(0, 8))).toBe(false);
  });

  it("refuses a packet with any one bit changed, in length, ciphertext or tag", () => {
    const sealer = cipher.createSealer(keys);
    const sealed = seal(sealer, alignedContent(sealer, 40), 3);
    for (let bit = 0; bit < sealed.length * 8; bit += extent(3, 1)) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expectMacError(() => open(cipher.createOpener(keys), changed, 3));
    }
  });

  it("refuses a packet with bytes missing or added", () => {
    const sealer = cipher.createSealer(keys);
    const sealed = seal(sealer, alignedContent(sealer, 100), 0);
    for (let length = cipher.createOpener(keys).headerLength; length < sealed.length; length++) {
      expectMacError(() => open(cipher.createOpener(keys), Buffer.from(sealed.subarray(0, length)), 0));
    }
    expectMacError(() => open(cipher.createOpener(keys), Buffer.concat([sealed, Buffer.alloc(1)]), 0));
  });

  it("refuses a packet that is repeated, left out or out of order", () => {
    const sealer = cipher.createSealer(keys);
    const content = alignedContent(sealer, 20);
    const [first, second] = [seal(sealer, content, 0), seal(sealer, content, 1)];
    const opener = cipher.createOpener(keys);
    open(opener, Buffer.from(first), 0);
    expectMacError(() => open(opener, Buffer.from(first), 1));
    expectMacError(() => open(cipher.createOpener(keys), Buffer.from(second), 0));
  });

  it("refuses a packet sealed under other keys", () => {
    const nines = (length: number): Buffer => Buffer.alloc(length, 9);
    const others = { key: nines(cipher.keyLength), iv: keys.iv };
    const mac = keys.mac && { algorithm: keys.mac.algorithm, key: nines(keys.mac.key.length) };
    const sealer = cipher.createSealer(mac === undefined ? others : { ...others, mac });
    expectMacError(() => open(cipher.createOpener(keys), seal(sealer, alignedContent(sealer, 20), 0), 0));
  });

  it("leaves the bytes around a packet alone", () => {
    const sealer = cipher.createSealer(keys);
    const content = alignedContent(sealer, 50);
    const around = Buffer.alloc(16 + 4 + content.length + sealer.tagLength + 16, 0xaa);
    const packet = around.subarray(16, -16);
    packet.set(clearPacket(content, sealer.tagLength));
    sealer.seal(packet, 0);
    expect(open(cipher.createOpener(keys), packet, 0).equals(content)).toBe(true);
    expect(around.subarray(0, 16)).toEqual(Buffer.alloc(16, 0xaa));
    expect(around.subarray(-16)).toEqual(Buffer.alloc(16, 0xaa));
  });

  it("returns content that later packets do not change", () => {
    const sealer = cipher.createSealer(keys);
    const opener = cipher.createOpener(keys);
    const content = alignedContent(sealer, 50);
    const opened = open(opener, seal(sealer, content, 0), 0);
    open(opener, seal(sealer, alignedContent(sealer, 90), 1), 1);
    expect(opened.equals(content)).toBe(true);
  });

  it("has copied its keys, which may be overwritten, and are when they are no longer needed", () => {
    const copies = { key: Buffer.from(keys.key), iv: Buffer.from(keys.iv) };
    const mac = keys.mac && { ...keys.mac, key: Buffer.from(keys.mac.key) };
    const given = mac === undefined ? copies : { ...copies, mac };
    const [sealer, opener] = [cipher.createSealer(given), cipher.createOpener(given)];
    for (const part of [given.key, given.iv, mac?.key]) part?.fill(0);
    const content = alignedContent(sealer, 50);
    const packet = seal(sealer, content, 0);
    expect(packet).toEqual(seal(cipher.createSealer(keys), content, 0));
    expect(open(opener, packet, 0).equals(content)).toBe(true);
    sealer.destroy();
    opener.destroy();
  });

  it("asks for new keys before sequence numbers repeat and before its block limit", () => {
    const { maximumPackets, maximumBytes } = cipher.createSealer(keys);
    expect(maximumPackets).toBe(2 ** 31);
    expect(maximumBytes).toBe(cipher.name.startsWith("aes") ? 64 * 2 ** 30 : Number.POSITIVE_INFINITY);
  });
});
