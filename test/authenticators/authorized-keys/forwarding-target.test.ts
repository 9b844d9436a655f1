import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePermitListen, parsePermitOpen } from "../../../src/authenticators/authorized-keys/forwarding-target.js";

const host = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
const port = fc.integer({ min: 1, max: 65_535 });

describe("parsePermitOpen", () => {
  it("reads hosts, IPv6 addresses in brackets, and ports", () => {
    fc.assert(
      fc.property(host, port, (name, number) => {
        expect(parsePermitOpen(`${name}:${number}`)).toEqual({ host: name, port: number });
        expect(parsePermitOpen(`[${name}::1]:${number}`)).toEqual({ host: `${name}::1`, port: number });
        expect(parsePermitOpen(`${name}:*`)).toEqual({ host: name, port: "*" });
      }),
    );
  });

  it.each([
    "",
    "host",
    "host:",
    "host:0",
    "host:65536",
    "host:1e3",
    "host:0x1",
    "a:b:1",
    "[a:1",
    "[a]1",
    "a:1:2",
    `${"h".repeat(1025)}:1`,
  ])("refuses %j", (text) => expect(() => parsePermitOpen(text)).toThrow(/forwarding target/));
});

describe("parsePermitListen", () => {
  it("takes a port alone for any address", () => {
    fc.assert(
      fc.property(port, (number) => {
        expect(parsePermitListen(`${number}`)).toEqual({ host: "*", port: number });
      }),
    );
    expect(parsePermitListen("*")).toEqual({ host: "*", port: "*" });
    expect(parsePermitListen("localhost:80")).toEqual({ host: "localhost", port: 80 });
    expect(parsePermitListen("[::1]:80")).toEqual({ host: "::1", port: 80 });
  });

  it.each(["", "host", "0", "65536", "host:", "::1", "-1"])("refuses %j", (text) => {
    expect(() => parsePermitListen(text)).toThrow(/forwarding target/);
  });
});
