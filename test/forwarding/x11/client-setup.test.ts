import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { showsCookie } from "../../../src/forwarding/x11/client-setup.js";
import { setupMessage } from "./x-client.js";

const protocol = "MIT-MAGIC-COOKIE-1";
const data = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const credentials = { protocol, data };

describe.each(["B", "l"] as const)("the setup of an X client, byte order %s", (order) => {
  const right = setupMessage(protocol, data, order);

  it("shows the cookie when all of it has come, and what follows does not matter", () => {
    for (let length = 0; length < right.length; length++) {
      expect(showsCookie(right.subarray(0, length), credentials)).toBeUndefined();
    }
    expect(showsCookie(right, credentials)).toBe(true);
    expect(showsCookie(Buffer.concat([right, Buffer.alloc(1000, 0xff)]), credentials)).toBe(true);
  });

  it.each([
    ["no cookie", setupMessage("", Buffer.of(), order)],
    ["another protocol", setupMessage("XDM-AUTHORIZATION-1", data, order)],
    ["another protocol of the same length", setupMessage("MIT-MAGIC-COOKIE-2", data, order)],
    ["the cookie in part", setupMessage(protocol, data.subarray(1), order)],
    ["more than the cookie", setupMessage(protocol, Buffer.concat([data, data]), order)],
    ["another cookie", setupMessage(protocol, Buffer.alloc(16), order)],
    ["64 KiB", setupMessage(protocol, Buffer.alloc(0xffff), order)],
  ])("does not show it with %s", (_, bytes) => {
    expect(showsCookie(bytes, credentials)).toBe(false);
  });

  it("does not show it with any other bit in its names, lengths and data", () => {
    const relevant = [0, 6, 7, 8, 9, ...Array.from({ length: 18 }, (_, at) => 12 + at)];
    relevant.push(...Array.from({ length: 16 }, (_, at) => 32 + at));
    for (const at of relevant) {
      for (let bit = 0; bit < 8; bit++) {
        const wrong = Buffer.from(right);
        wrong[at] = (wrong[at] ?? 0) ^ (1 << bit);
        expect(showsCookie(wrong, credentials), `bit ${bit} of byte ${at}`).toBe(false);
      }
    }
  });
});

describe("other bytes", () => {
  it("show no cookie", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => !showsCookie(Buffer.from(bytes), credentials)));
  });

  it("are refused at the first of them", () => {
    expect(showsCookie(Buffer.from("G"), credentials)).toBe(false);
  });
});
