import { expect, it } from "vitest";
import { noneOpener, noneSealer } from "../../../src/crypto/cipher/none.js";
import { alignedContent, clearPacket, seal } from "./packets.js";

it("passes packets through in clear, without a tag", () => {
  const content = alignedContent(noneSealer, 21);
  const packet = seal(noneSealer, content, 0);
  expect(packet).toEqual(clearPacket(content, 0));
  expect(noneOpener.readLength(packet.subarray(0, noneOpener.headerLength), 0)).toBe(content.length);
  expect(noneOpener.open(packet, 0)).toEqual(content);
});

it("pads to eight bytes, the length included", () => {
  expect(noneSealer).toMatchObject({ blockLength: 8, lengthIsAligned: true, tagLength: 0 });
});
