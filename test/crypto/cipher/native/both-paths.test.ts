import { describe, expect, it } from "vitest";
import type { PacketOpener, PacketSealer } from "../../../../src/crypto/cipher/packet-cipher.js";
import { MAX_PACKET_LENGTH } from "../../../../src/protocol/constants.js";
import { needs } from "../../../support/clients.js";
import { isLong } from "../../../support/extent.js";
import { alignedContent, open, seal, suites } from "../packets.js";

const around = (length: number) => [length - 1, length, length + 1];

/** Bytes of payload. */
const LENGTHS = [
  ...Array.from({ length: 301 }, (_, length) => length),
  ...[16 * 1024, 32 * 1024, ...(isLong ? [64 * 1024, 128 * 1024] : [])].flatMap(around),
  MAX_PACKET_LENGTH - 32,
];

const native = suites.filter(({ path }) => path === "addon");

describe.each(suites.filter(({ path }) => path === "node:crypto"))("$name", needs("cc"), ({ name, cipher, keys }) => {
  const both = [cipher, native.find((suite) => suite.name === name)?.cipher ?? cipher] as const;

  it("is the same cipher on both paths", () => {
    expect(both[0]).not.toBe(both[1]);
    const described = ({ blockLength, lengthIsAligned, tagLength, ...others }: PacketOpener | PacketSealer) => ({
      ...{ blockLength, lengthIsAligned, tagLength },
      ...{ maximumPackets: others.maximumPackets, maximumBytes: others.maximumBytes },
      headerLength: "headerLength" in others ? others.headerLength : undefined,
    });
    expect(described(both[1].createSealer(keys))).toEqual(described(both[0].createSealer(keys)));
    expect(described(both[1].createOpener(keys))).toEqual(described(both[0].createOpener(keys)));
  });

  it("makes the same packets on both paths, and opens each other's, of every length", () => {
    const sealers = both.map((path) => path.createSealer(keys));
    const openers = both.map((path) => path.createOpener(keys));
    for (const [index, length] of LENGTHS.entries()) {
      // Over the end of the sequence numbers.
      const sequenceNumber = (2 ** 32 - 100 + index) >>> 0;
      const [sealer] = sealers;
      if (sealer === undefined) throw new Error("no path");
      const content = alignedContent(sealer, length);
      const [packet = content, other] = sealers.map((each) => seal(each, content, sequenceNumber));
      expect(other?.equals(packet)).toBe(true);
      for (const opener of openers) {
        expect(open(opener, Buffer.from(packet), sequenceNumber).equals(content)).toBe(true);
      }
    }
  });
});
