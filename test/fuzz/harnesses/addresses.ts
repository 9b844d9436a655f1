import { AddressPatterns } from "../../../src/addresses/address-patterns.js";
import { inNetworks, isMappedNetwork, parseNetworks } from "../../../src/addresses/network.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";

const LISTS = [
  "10.0.0.0/8,!10.1.*,2001:db8::/32",
  "::ffff:192.0.2.1,fe80::1%eth0",
  "*,!192.0.2.?",
  "example.com,1.2.3.4",
];
const ADDRESSES = ["192.0.2.1", "::ffff:10.1.2.3", "2001:db8::1", "fe80::1%eth0", undefined];

/** Lists of addresses in options of keys, certificates and servers. */
export const harness: Harness = {
  name: "addresses",
  seeds: LISTS.map((list) => Buffer.from(list)),
  maximumLength: 2048,
  memory: { base: 2 * 1024 * 1024, perByte: 2048 },
  run(bytes) {
    const list = bytes.toString("latin1");
    const patterns = refusable(() => AddressPatterns.parse(list), Error);
    const networks = refusable(() => parseNetworks(list), Error);
    for (const address of ADDRESSES) {
      const isAllowed = patterns?.allows(address) ?? false;
      assertTrue(!isAllowed || address !== undefined, "what is not known is allowed");
      // A list of networks alone is the same list of patterns, which let in nobody by an address that is mapped.
      if (networks !== undefined) {
        const named = parseNetworks(list).filter(
          (network, index) => !isMappedNetwork(list.split(",")[index] ?? "", network),
        );
        assertTrue(inNetworks(address, named) === isAllowed, "networks and patterns differ");
      }
    }
  },
};
