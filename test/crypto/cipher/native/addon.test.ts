import { createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Addon, NativeKeys } from "../../../../src/base/addon.js";
import { needs } from "../../../support/clients.js";
import { addon, bytes } from "../packets.js";

const none = Buffer.alloc(0);

/** One of each: the cipher, its keys, bytes of its tag and of the header that `readLength` takes. */
const kinds = [
  { keys: ["chacha20-poly1305", bytes(64, 1), none, none] as NativeKeys, tag: 16, header: 4 },
  { keys: ["aes-gcm", bytes(16, 1), bytes(12, 2), none] as NativeKeys, tag: 16, header: 4 },
  { keys: ["aes-gcm", bytes(32, 1), bytes(12, 2), none] as NativeKeys, tag: 16, header: 4 },
  { keys: ["aes-ctr encrypt-then-mac", bytes(24, 1), bytes(16, 2), bytes(32, 3)] as NativeKeys, tag: 32, header: 4 },
  { keys: ["aes-ctr encrypt-and-mac", bytes(32, 1), bytes(16, 2), bytes(64, 3)] as NativeKeys, tag: 64, header: 16 },
].map((kind) => ({ name: `${kind.keys[0]} (${kind.keys[1].length * 8} bits)`, ...kind }));

function own(): Addon {
  if (addon === undefined) throw new Error("the addon is not there");
  return addon;
}

/** Calls what TypeScript would not let through. */
function call(target: object, method: string, ...parameters: unknown[]): unknown {
  return Reflect.apply(Reflect.get(target, method), target, parameters);
}

describe("the addon", needs("cc"), () => {
  it.each<[string, readonly unknown[]]>([
    ["no cipher", ["", bytes(16, 1), bytes(12, 2), none]],
    ["another cipher", ["aes-cbc", bytes(16, 1), bytes(16, 2), none]],
    ["a cipher with a name that is too long", ["aes-gcm".repeat(1000), bytes(16, 1), bytes(12, 2), none]],
    ["a cipher by its number", [1, bytes(16, 1), bytes(12, 2), none]],
    ["too few parameters", ["aes-gcm", bytes(16, 1), bytes(12, 2)]],
    ["too many parameters", ["aes-gcm", bytes(16, 1), bytes(12, 2), none, none]],
    ["a key that is a text", ["aes-gcm", "k".repeat(16), bytes(12, 2), none]],
    ["a key of wider elements", ["aes-gcm", new Uint16Array(16), bytes(12, 2), none]],
    ["a key that is a DataView", ["aes-gcm", new DataView(new ArrayBuffer(16)), bytes(12, 2), none]],
    ["a key of 192 bits with GCM", ["aes-gcm", bytes(24, 1), bytes(12, 2), none]],
    ["no key", ["aes-gcm", none, bytes(12, 2), none]],
    ["an IV that is too long", ["aes-gcm", bytes(16, 1), bytes(16, 2), none]],
    ["an IV that is too short", ["aes-ctr encrypt-and-mac", bytes(16, 1), bytes(12, 2), bytes(32, 3)]],
    ["a MAC key with an AEAD", ["aes-gcm", bytes(16, 1), bytes(12, 2), bytes(32, 3)]],
    ["an IV for ChaCha20", ["chacha20-poly1305", bytes(64, 1), bytes(8, 2), none]],
    ["one key for ChaCha20", ["chacha20-poly1305", bytes(32, 1), none, none]],
    ["no MAC key", ["aes-ctr encrypt-then-mac", bytes(16, 1), bytes(16, 2), none]],
    ["a MAC key of another hash", ["aes-ctr encrypt-then-mac", bytes(16, 1), bytes(16, 2), bytes(48, 3)]],
  ])("is not given %s", (_, keys) => {
    for (const made of [own().Sealer, own().Opener]) expect(() => Reflect.construct(made, keys)).toThrow(Error);
  });

  it("makes objects with new alone, whose methods are theirs alone", () => {
    const { Sealer, Opener } = own();
    const keys: NativeKeys = ["aes-gcm", bytes(16, 1), bytes(12, 2), none];
    expect(() => Reflect.apply(Sealer, undefined, keys)).toThrow(TypeError);
    expect(() => Reflect.apply(Sealer, new Sealer(...keys), keys)).toThrow(TypeError);
    const sealer = new Sealer(...keys);
    const opener = new Opener(...keys);
    const packet = [Buffer.alloc(40), 0, 40, 0];
    for (const self of [undefined, {}, opener, Object.create(Sealer.prototype), Object.create(sealer)]) {
      expect(() => Reflect.apply(sealer.seal, self, packet)).toThrow();
      if (self !== opener) expect(() => Reflect.apply(opener.open, self, packet)).toThrow();
    }
    expect(() => Reflect.apply(opener.open, sealer, packet)).toThrow();
  });

  describe.each(kinds)("$name", ({ keys, tag, header }) => {
    const length = 4 + 60 + tag;

    it.each<[string, readonly unknown[]]>([
      ["nothing", []],
      ["no sequence number", [Buffer.alloc(length), 0, length]],
      ["no buffer", [undefined, 0, length, 0]],
      ["an array", [new Array(length).fill(0), 0, length, 0]],
      ["a text", ["x".repeat(length), 0, length, 0]],
      ["memory that is not an array", [new ArrayBuffer(length), 0, length, 0]],
      ["wider elements", [new Uint32Array(length), 0, length, 0]],
      ["an offset that is negative", [Buffer.alloc(length), -1, length, 0]],
      ["an offset that is a fraction", [Buffer.alloc(length), 0.5, 40, 0]],
      ["an offset that is no number", [Buffer.alloc(length), Number.NaN, length, 0]],
      ["an offset that is a text", [Buffer.alloc(length), "0", length, 0]],
      ["an offset that is a bigint", [Buffer.alloc(length), 0n, length, 0]],
      ["an offset of 2^32", [Buffer.alloc(length), 2 ** 32, length, 0]],
      ["an offset beyond the end", [Buffer.alloc(length), length + 1, 0, 0]],
      ["a length beyond the end", [Buffer.alloc(length), 0, length + 1, 0]],
      ["a length beyond the end behind an offset", [Buffer.alloc(length), 1, length, 0]],
      ["a length of 2^32 - 1", [Buffer.alloc(length), 1, 2 ** 32 - 1, 0]],
      ["a length that is infinite", [Buffer.alloc(length), 0, Number.POSITIVE_INFINITY, 0]],
      ["a length that is an object", [Buffer.alloc(length), 0, { valueOf: () => length }, 0]],
      ["a sequence number that is too large", [Buffer.alloc(length), 0, length, 2 ** 32]],
      ["a sequence number that is negative", [Buffer.alloc(length), 0, length, -1]],
    ])("refuses %s and goes on", (_, parameters) => {
      const sealer = new (own().Sealer)(...keys);
      const opener = new (own().Opener)(...keys);
      expect(() => call(sealer, "seal", ...parameters)).toThrow(Error);
      expect(() => call(opener, "open", ...parameters)).toThrow(Error);
      const packet = sealed(new (own().Sealer)(...keys), 0);
      const same = clear();
      sealer.seal(same, 0, length, 0);
      expect(same).toEqual(packet);
      opener.readLength(packet, 0, 0);
      expect(opener.open(packet, 0, length, 0)).toBe(true);
    });

    function clear(): Buffer {
      const packet = bytes(length, 9);
      packet.writeUInt32BE(60, 0);
      return packet;
    }

    function sealed(sealer: InstanceType<Addon["Sealer"]>, sequenceNumber: number): Buffer {
      const packet = clear();
      sealer.seal(packet, 0, length, sequenceNumber);
      return packet;
    }

    it("seals no packet that has no room for length and tag", () => {
      for (let short = 0; short < 4 + tag; short++) {
        const sealer = new (own().Sealer)(...keys);
        expect(() => sealer.seal(Buffer.alloc(length), 0, short, 0)).toThrow("out of turn");
      }
    });

    it("reads no length from less than a header", () => {
      const opener = new (own().Opener)(...keys);
      for (const [array, offset] of [
        [Buffer.alloc(header - 1), 0],
        [Buffer.alloc(length), length - header + 1],
        [Buffer.alloc(length), length + 1],
        [none, 0],
      ] as const) {
        expect(() => opener.readLength(array, offset, 0)).toThrow(RangeError);
      }
      expect(opener.readLength(sealed(new (own().Sealer)(...keys), 0), 0, 0)).toBe(60);
    });

    it("leaves nothing of a packet whose tag is wrong, and takes no other", () => {
      const packet = sealed(new (own().Sealer)(...keys), 7);
      for (let place = header; place < length; place += 5) {
        const changed = Buffer.from(packet);
        changed[place] = ~(changed[place] ?? 0);
        const around = Buffer.concat([Buffer.alloc(16, 0xaa), changed, Buffer.alloc(16, 0xaa)]);
        const opener = new (own().Opener)(...keys);
        opener.readLength(changed, 0, 7);
        expect(opener.open(around, 16, length, 7)).toBe(false);
        expect(around).toEqual(Buffer.concat([Buffer.alloc(16, 0xaa), Buffer.alloc(length), Buffer.alloc(16, 0xaa)]));
        expect(() => opener.open(packet, 0, length, 7)).toThrow("failure");
        expect(() => opener.readLength(packet, 0, 7)).toThrow("failure");
      }
    });

    it("does nothing once its keys are destroyed", () => {
      const sealer = new (own().Sealer)(...keys);
      const opener = new (own().Opener)(...keys);
      const packet = sealed(sealer, 0);
      for (const object of [sealer, opener, sealer, opener]) object.destroy();
      expect(() => sealer.seal(packet, 0, length, 0)).toThrow("destroyed");
      expect(() => opener.readLength(packet, 0, 0)).toThrow("destroyed");
      expect(() => opener.open(packet, 0, length, 0)).toThrow("destroyed");
    });

    it("leaves no error behind for node:crypto", () => {
      const failure = () => {
        try {
          createPrivateKey("not a key");
        } catch (error) {
          return { ...(error as object) };
        }
        throw new Error("a key was made of nothing");
      };
      const before = failure();
      const opener = new (own().Opener)(...keys);
      opener.readLength(Buffer.alloc(length), 0, 0);
      expect(opener.open(Buffer.alloc(length), 0, length, 0)).toBe(false);
      expect(failure()).toEqual(before);
    });
  });

  it("reads the length once for each packet where that decrypts the first block", () => {
    const keys: NativeKeys = ["aes-ctr encrypt-and-mac", bytes(16, 1), bytes(16, 2), bytes(32, 3)];
    const opener = new (own().Opener)(...keys);
    const packet = Buffer.alloc(4 + 28 + 32);
    new (own().Sealer)(...keys).seal(packet, 0, packet.length, 0);
    expect(() => opener.open(Buffer.from(packet), 0, packet.length, 0)).toThrow("out of turn");
    opener.readLength(packet, 0, 0);
    expect(() => opener.readLength(packet, 0, 0)).toThrow("out of turn");
    expect(opener.open(packet, 0, packet.length, 0)).toBe(true);
  });
});
