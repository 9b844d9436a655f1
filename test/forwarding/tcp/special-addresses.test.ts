import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Address, addressText, parseAddress } from "../../../src/addresses/address.js";
import { isPublicAddress } from "../../../src/forwarding/tcp/special-addresses.js";

const SPECIAL_IPV4 = [
  ["this host", "0.0.0.0", 8],
  ["private", "10.0.0.0", 8],
  ["shared", "100.64.0.0", 10],
  ["loopback", "127.0.0.0", 8],
  ["link-local", "169.254.0.0", 16],
  ["private", "172.16.0.0", 12],
  ["protocols", "192.0.0.0", 24],
  ["documentation", "192.0.2.0", 24],
  ["relays of 6to4", "192.88.99.0", 24],
  ["private", "192.168.0.0", 16],
  ["benchmarks", "198.18.0.0", 15],
  ["documentation", "198.51.100.0", 24],
  ["documentation", "203.0.113.0", 24],
  ["multicast", "224.0.0.0", 4],
  ["reserved", "240.0.0.0", 4],
  ["broadcast", "255.255.255.255", 32],
] as const;

const SPECIAL_IPV6 = [
  ["compatible with IPv4", "::", 96],
  ["local NAT64", "64:ff9b:1::", 48],
  ["discarded", "100::", 64],
  ["Teredo", "2001::", 32],
  ["benchmarks", "2001:2::", 48],
  ["identifiers", "2001:20::", 28],
  ["documentation", "2001:db8::", 32],
  ["6to4", "2002::", 16],
  ["documentation", "3fff::", 20],
  ["segments", "5f00::", 16],
  ["unique-local", "fc00::", 7],
  ["link-local", "fe80::", 10],
  ["site-local", "fec0::", 10],
  ["multicast", "ff00::", 8],
] as const;

/** Any address of a network: the bits beyond its prefix are random. */
function inside(network: string, bits: number): fc.Arbitrary<Buffer> {
  const bytes = parseAddress(network)?.bytes ?? Buffer.alloc(0);
  const kept = (index: number) => Math.min(Math.max(bits - 8 * index, 0), 8);
  return fc
    .uint8Array({ minLength: bytes.length, maxLength: bytes.length })
    .map((random) => Buffer.from(bytes.map((byte, index) => byte | ((random[index] ?? 0) & (0xff >> kept(index))))));
}

const textOf = (family: Address["family"], bytes: Buffer) => addressText({ family, bytes });

/** The same address of IPv4 in IPv6. */
const disguises: readonly ((bytes: Buffer) => string)[] = [
  (bytes) => `::ffff:${bytes.join(".")}`,
  (bytes) => `::ffff:${bytes.toString("hex", 0, 2)}:${bytes.toString("hex", 2)}`,
  (bytes) => `0:0:0:0:0:ffff:${bytes.join(".")}`,
  (bytes) => `::${bytes.join(".")}`,
  (bytes) => `64:ff9b::${bytes.join(".")}`,
  (bytes) => `64:ff9b:1::${bytes.join(".")}`,
  (bytes) => `2002:${bytes.toString("hex", 0, 2)}:${bytes.toString("hex", 2)}::1`,
  // Teredo: the server, and the client's address with its bits turned.
  (bytes) => `2001:0:${bytes.toString("hex", 0, 2)}:${bytes.toString("hex", 2)}::1`,
  (bytes) =>
    addressText({
      family: "ipv6",
      bytes: Buffer.concat([parseAddress("2001::")?.bytes.subarray(0, 12) ?? bytes, bytes.map((byte) => ~byte)]),
    }),
];

describe("isPublicAddress", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it.each(SPECIAL_IPV4)("knows no address as public that is %s: %s/%d, in no writing", (_, network, bits) => {
    fc.assert(
      fc.property(inside(network, bits), (bytes) => {
        const texts = [textOf("ipv4", bytes), ...disguises.map((disguise) => disguise(bytes))];
        expect(texts.filter((text) => parseAddress(text) === undefined)).toEqual([]);
        expect(texts.filter(isPublicAddress)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it.each(SPECIAL_IPV6)("knows no address as public that is %s: %s/%d", (_, network, bits) => {
    fc.assert(
      fc.property(inside(network, bits), (bytes) => {
        expect(isPublicAddress(textOf("ipv6", bytes))).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
  ])("refuses the metadata of clouds: %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2003::1",
    "2a00:1450::1",
    "3ffe:ffff::1",
  ])("lets pass %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(["", "localhost", "127.1", "8.8.8", "8.8.8.8/32", "[2a00:1450::1]"])(
    "knows no public address in %j",
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );

  it("refuses what this host has at the moment", () => {
    const own: string[] = [];
    // A host's own addresses in the Internet, which the machine of a test does not have.
    vi.spyOn(os, "networkInterfaces").mockImplementation(() => ({
      eth0: own.map((address) => ({ address })) as never,
    }));
    syncBuiltinESMExports();
    expect([isPublicAddress("8.8.8.8"), isPublicAddress("2a00:1450::1")]).toEqual([true, true]);
    own.push("8.8.8.8", "2a00:1450::1");
    const texts = ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450::1", "2a00:1450:0::0:1"];
    expect(texts.filter(isPublicAddress)).toEqual([]);
    expect(isPublicAddress("8.8.8.9")).toBe(true);
  });
});
