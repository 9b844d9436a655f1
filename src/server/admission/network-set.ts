import { type Address, netBlock, parseAddress } from "../../addresses/address.js";
import type { Network } from "../../addresses/network.js";

/** Networks of which a list may have many thousands: an address is looked up once for each length of prefix. */
export class NetworkSet {
  readonly #blocks = new Set<string>();
  readonly #prefixLengths = { ipv4: new Set<number>(), ipv6: new Set<number>() };

  constructor(networks: readonly Network[]) {
    for (const { address, bits } of networks) {
      this.#prefixLengths[address.family].add(bits);
      this.#blocks.add(blockOf(address, bits));
    }
  }

  /** Networks, each counted once. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Whether an address lies in one of the networks; one that is unknown, or none, does not. */
  has(address: string | undefined): boolean {
    if (this.size === 0 || address === undefined) return false;
    const parsed = parseAddress(address);
    if (parsed === undefined) return false;
    for (const bits of this.#prefixLengths[parsed.family]) {
      if (this.#blocks.has(blockOf(parsed, bits))) return true;
    }
    return false;
  }
}

function blockOf(address: Address, bits: number): string {
  return netBlock(address, { ipv4: bits, ipv6: bits });
}
