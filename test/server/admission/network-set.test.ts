import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkOf, parseAddress } from "../../../src/addresses/address.js";
import { inNetworks, type Network, parseNetworks } from "../../../src/addresses/network.js";
import { NetworkSet } from "../../../src/server/admission/network-set.js";

/** Addresses that lie close together, so that networks have some of them. */
const address = fc.oneof(
  fc.tuple(fc.constantFrom(10, 192), fc.nat({ max: 3 }), fc.nat({ max: 255 })).map(([a, b, c]) => `${a}.0.${b}.${c}`),
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 255 })).map(([a, b]) => `2001:db8:${a}::${b.toString(16)}`),
  fc.nat({ max: 255 }).map((host) => `::ffff:10.0.0.${host}`),
);

const network = fc.tuple(address, fc.nat({ max: 128 })).map(([text, length]): Network => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is an address`);
  const bits = parsed.family === "ipv4" ? Math.min(length, 32) : length;
  return { address: networkOf(parsed, bits), bits };
});

describe("a set of networks", () => {
  it("has the addresses that a list of them has", () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 8 }), address, (networks, some) => {
        expect(new NetworkSet(networks).has(some)).toBe(inNetworks(some, networks));
      }),
      { numRuns: 1000 },
    );
  });

  it("has nothing whose address is unknown, or none", () => {
    const all = new NetworkSet(parseNetworks("0.0.0.0/0,::/0"));
    expect([all.has("192.0.2.1"), all.has("2001:db8::1")]).toEqual([true, true]);
    expect([all.has(undefined), all.has(""), all.has("localhost")]).toEqual([false, false, false]);
    expect(new NetworkSet(parseNetworks("0.0.0.0/0")).has("2001:db8::1")).toBe(false);
  });
});
