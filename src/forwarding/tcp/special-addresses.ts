import { networkInterfaces } from "node:os";
import { type Address, parseAddress } from "../../addresses/address.js";
import { inNetwork, type Network, parseNetworks } from "../../addresses/network.js";

/**
 * Addresses of IPv4 that are not those of other people's hosts: the registry of special-purpose addresses (RFC 6890),
 * and what came to it later.
 */
const SPECIAL_IPV4 = parseNetworks([
  "0.0.0.0/8", // "this host": Linux takes it for loopback
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared between a provider and its clients; metadata of Alibaba Cloud
  "127.0.0.0/8", // loopback
  "168.63.129.16", // what Azure tells its virtual machines, secrets included
  "169.254.0.0/16", // link-local; metadata of most clouds
  "172.16.0.0/12", // private
  "192.0.0.0/24", // for protocols; metadata of Oracle Cloud
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // relays of 6to4
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
]);

/** All that is given to hosts in IPv6 (RFC 4291 §2.4): loopback, IPv4-compatible, local and multicast ones lie outside. */
const GLOBAL_IPV6 = parseNetworks("2000::/3");

const SPECIAL_IPV6 = parseNetworks([
  "2001::/23", // for protocols: Teredo, whose addresses hold one of IPv4, benchmarks, and others
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4, whose addresses hold one of IPv4
  "3fff::/20", // documentation
]);

/** A translator leads from there to the IPv4 address in the last four bytes (NAT64, RFC 6052 §2.1). */
const TRANSLATED = parseNetworks("64:ff9b::/96");

/**
 * Whether an address may be one of a host in the Internet: not of the server itself or of its networks.
 *
 * It is not for addresses that are loopback, link-local, private, shared (100.64.0.0/10), unique-local, site-local,
 * multicast, broadcast, for documentation, benchmarks and protocols, or unassigned; for those of clouds' metadata; for
 * all that the network interfaces of this host have at the moment; for any of them as an address of IPv6: mapped,
 * compatible or behind NAT64; and for 6to4 and Teredo. A text that is not an address is none.
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
