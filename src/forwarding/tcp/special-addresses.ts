import { networkInterfaces } from "node:os";
import { type Address, parseAddress } from "../../addresses/address.js";
import { inNetwork, type Network } from "../../addresses/network.js";
import { GLOBAL_IPV6, SPECIAL_IPV4, SPECIAL_IPV6, TRANSLATED } from "./special-networks.js";

/**
 * Whether an address may belong to a host on the Internet, and not to the server itself or its networks.
 *
 * False for addresses that are loopback, link-local, private, shared (100.64.0.0/10), unique-local, site-local,
 * multicast, broadcast, for documentation, benchmarks and protocols, or unassigned; for those of clouds' metadata; for
 * all that the network interfaces of this host have at the moment; for any of them as an address of IPv6: mapped,
 * compatible or behind NAT64; and for 6to4 and Teredo. False, too, for a text that is not an address.
 *
 * It cannot know an address that leads back by other ways: one that a router translates, say, or a prefix for NAT64 of
 * one's own.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  const reached = lies(parsed, TRANSLATED) ? lastFourBytes(parsed) : parsed;
  return isGlobal(reached) && !isOwn(reached);
}

function isGlobal(address: Address): boolean {
  if (address.family === "ipv4") return !lies(address, SPECIAL_IPV4);
  return lies(address, GLOBAL_IPV6) && !lies(address, SPECIAL_IPV6);
}

function isOwn(address: Address): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some((one) => parseAddress(one.address)?.bytes.equals(address.bytes) === true);
}

function lies(address: Address, networks: readonly Network[]): boolean {
  return networks.some((network) => inNetwork(address, network));
}

function lastFourBytes({ bytes }: Address): Address {
  return { family: "ipv4", bytes: bytes.subarray(12) };
}
