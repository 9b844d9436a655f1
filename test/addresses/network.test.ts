import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkOf, parseAddress } from "../../src/addresses/address.js";
import { inNetworks, parseNetworks } from "../../src/addresses/network.js";

describe("parseNetworks", () => {
  it.each(["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/128", "::ffff:10.0.0.0/104"])(
    "reads %s",
    (text) => {
      expect(parseNetworks(text)).toHaveLength(1);
    },
  );

  it.each([
    ["10.0.0.1/8", "bits beyond its prefix"],
    ["10.0.0.0/33", "impossible length"],
    ["::/129", "impossible length"],
    ["::ffff:10.0.0.0/8", "impossible length"],
    ["", "not an address or a network"],
    ["10.0.0.0/", "not an address or a network"],
    ["10.0.0.0/8,", "not an address or a network"],
    ["10.0.0.0/8/8", "not an address or a network"],
    ["10.0.0.0/ 8", "not an address or a network"],
    ["!10.0.0.0/8", "not an address or a network"],
    ["10.*", "not an address or a network"],
    ["host", "not an address or a network"],
  ])("refuses %j", (text, message) => {
    expect(() => parseNetworks(text)).toThrow(message);
  });
});

describe("inNetworks", () => {
  const networks = parseNetworks("10.0.0.0/8,192.0.2.1,2001:db8::/33");

  it.each(["10.255.0.1", "::ffff:10.1.2.3", "192.0.2.1", "2001:db8:7fff::1"])("holds %s", (address) => {
    expect(inNetworks(address, networks)).toBe(true);
  });

  it.each(["11.0.0.1", "192.0.2.2", "2001:db8:8000::1", "::10.0.0.1", "localhost", "", undefined])(
    "does not hold %s",
    (address) => {
      expect(inNetworks(address, networks)).toBe(false);
    },
  );

  it("agrees with the block lists of Node.js", () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.integer({ min: 0, max: 32 }),
        fc.ipV4(),
        fc.integer({ min: 0, max: 32 }),
        (base, bits, other, kept) => {
          const address = parseAddress(base);
          const distant = parseAddress(other);
          if (address === undefined || distant === undefined) throw new Error("unreachable");
          const network = networkOf(address, bits).bytes.join(".");
          // Half of the bits are the network's, so that both answers occur.
          const candidate = networkOf(address, kept)
            .bytes.map((byte, index) => byte | (distant.bytes[index] ?? 0))
            .join(".");
          const blockList = new BlockList();
          blockList.addSubnet(network, bits);
          expect(inNetworks(candidate, parseNetworks(`${network}/${bits}`))).toBe(blockList.check(candidate));
        },
      ),
    );
  });
});
