import { parseNetworks } from "../../addresses/network.js";

/**
 * Addresses of IPv4 that are not those of other people's hosts: the registry of special-purpose addresses (RFC 6890),
 * and what came to it later.
 */
export const SPECIAL_IPV4 = parseNetworks([
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
export const GLOBAL_IPV6 = parseNetworks("2000::/3");

export const SPECIAL_IPV6 = parseNetworks([
  "2001::/23", // for protocols: Teredo, whose addresses hold one of IPv4, benchmarks, and others
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4, whose addresses hold one of IPv4
  "3fff::/20", // documentation
]);

/** A translator leads from there to the IPv4 address in the last four bytes (NAT64, RFC 6052 §2.1). */
export const TRANSLATED = parseNetworks("64:ff9b::/96");
