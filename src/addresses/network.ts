import { type Address, addressBits, networkOf, parseAddress } from "./address.js";

/** A block of addresses (RFC 4632). */
export interface Network {
  /** The first address of the block: its bits beyond the prefix are 0. */
  readonly address: Address;
  /** Length of the prefix, bits. */
  readonly bits: number;
}

/**
 * Reads an address, or a network as `10.0.0.0/8`.
 *
 * @returns `undefined` if the text is neither
 * @throws {Error} when it is a network whose length does not fit its address: 10.0.0.1/8, or 10.0.0.0/33
 */
export function parseNetwork(text: string): Network | undefined {
  const [, addressText = "", digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(addressText);
  if (address === undefined) return undefined;
  const mapped = address.family === "ipv4" && addressText.includes(":");
  if (digits === undefined) return { address, bits: addressBits(address.family) };
  const bits = Number(digits) - (mapped ? 96 : 0);
  if (bits < 0 || bits > addressBits(address.family)) throw new Error(`${text} has a prefix of an impossible length`);
  if (!networkOf(address, bits).bytes.equals(address.bytes)) throw new Error(`${text} has bits beyond its prefix`);
  return { address, bits };
}

export function inNetwork(address: Address, network: Network): boolean {
  if (address.family !== network.address.family) return false;
  return networkOf(address, network.bits).bytes.equals(network.address.bytes);
}

/**
 * Whether a text that `parseNetwork` has read is an IPv4 network written as one of IPv6. In rules of sshd about
 * addresses such a text names nobody: to sshd, clients from there have the IPv4 address.
 */
export function isMappedNetwork(text: string, { address }: Network): boolean {
  return address.family === "ipv4" && text.includes(":");
}

/**
 * Reads addresses and networks, and nothing else: no wildcards, no negation.
 *
 * @param list separated by commas, or a list
 * @throws {Error} that names the first one that cannot be used
 */
export function parseNetworks(list: string | readonly string[]): readonly Network[] {
  const elements = typeof list === "string" ? list.split(",") : list;
  return elements.map((element) => {
    const network = parseNetwork(element);
    if (network === undefined) throw new Error(`${JSON.stringify(element)} is not an address or a network`);
    return network;
  });
}

/** Whether an address lies in one of the networks; one that is unknown, or none, does not. */
export function inNetworks(address: string | undefined, networks: readonly Network[]): boolean {
  const parsed = address === undefined ? undefined : parseAddress(address);
  return parsed !== undefined && networks.some((network) => inNetwork(parsed, network));
}
