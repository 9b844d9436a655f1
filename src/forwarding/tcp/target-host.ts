import { type Address, parseAddress } from "../../addresses/address.js";

/** A host as a client names it. */
export type TargetHost = { readonly address: Address } | { readonly name: string };

/** Longest name of the DNS, characters (RFC 1035 §2.3.4). */
export const MAX_NAME_LENGTH = 255;

/**
 * Reads the name or the address of a host, before a resolver or a pattern sees it. Addresses of IPv4 in other writings
 * than the usual one (`127.1`, `0x7f000001`) are names here: the resolver tells their addresses.
 *
 * @returns `undefined` for what names no host: no text, one that is too long, or that has other characters than letters,
 * digits, `.`, `-` and `_`. Also for an address with a zone (`fe80::1%eth0`), by which the client would choose a network
 * interface of the server
 */
export function parseTargetHost(text: string): TargetHost | undefined {
  if (text.length > MAX_NAME_LENGTH || text.includes("%")) return undefined;
  const address = parseAddress(text);
  if (address !== undefined) return { address };
  return /^[A-Za-z0-9._-]+$/.test(text) ? { name: text } : undefined;
}
