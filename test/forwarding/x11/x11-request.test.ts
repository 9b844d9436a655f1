import { describe, expect, it } from "vitest";
import { credentialsOf, isWellFormed } from "../../../src/forwarding/x11/x11-request.js";

const request = (authProtocol: string, authCookie: string | Buffer) => ({
  singleConnection: false,
  authProtocol,
  authCookie: Buffer.from(authCookie as string),
  screenNumber: 0,
});

describe("a request to forward X11", () => {
  it.each([
    ["MIT-MAGIC-COOKIE-1", "00112233445566778899aabbccddeeff"],
    ["XDM-AUTHORIZATION-1", "AB"],
    ["a.b:c/d-e_F9".padEnd(64, "x"), "00".repeat(256)],
  ])("is well-formed with %s and %s", (authProtocol, authCookie) => {
    expect(isWellFormed(request(authProtocol, authCookie))).toBe(true);
    expect(credentialsOf(request(authProtocol, authCookie))).toEqual({
      protocol: authProtocol,
      data: Buffer.from(authCookie, "hex"),
    });
  });

  it.each(["", "x".repeat(65), "a b", "a\nadd :0 b c", "a\n", "a\0b", "é", 'a"', "a'", "a[1]", "$HOME", "\u212a"])(
    "has no protocol %j",
    (authProtocol) => {
      expect(isWellFormed(request(authProtocol, "00"))).toBe(false);
    },
  );

  it.each([
    "",
    "0",
    "001",
    "0g",
    "0x00",
    "00 00",
    "00\n",
    "00\0",
    "-1",
    "00".repeat(257),
    "0".repeat(64 * 1024),
    Buffer.of(0x30, 0xff),
    Buffer.from("ºº"),
  ])("has no cookie %j", (authCookie) => {
    expect(isWellFormed(request("MIT-MAGIC-COOKIE-1", authCookie))).toBe(false);
  });
});
