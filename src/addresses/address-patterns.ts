import { addressText, parseAddress } from "./address.js";
import { inNetwork, isMappedNetwork, type Network, parseNetwork } from "./network.js";
import { matchesWildcard } from "./wildcard.js";

interface Pattern {
  readonly effect: "allow" | "deny";
  /** A wildcard pattern for the address's text where it is not a network. */
  readonly match: Network | string;
}

/**
 * A list of address patterns as `from=` of authorized_keys takes it (sshd(8)): addresses, networks, wildcards; a pattern
 * behind `!` denies what it matches, whatever else does. Names of hosts match nothing, since nobody asks the DNS.
 */
export class AddressPatterns {
  readonly #patterns: readonly Pattern[];

  private constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
  }

  /**
   * @param list patterns separated by commas
   * @throws {Error} that tells the mistake in the list
   */
  static parse(list: string): AddressPatterns {
    const patterns = list.split(",").map((element): Pattern => {
      const denies = element.startsWith("!");
      const text = denies ? element.slice(1) : element;
      if (text === "") throw new Error("a pattern of the list is empty");
      const network = parseNetwork(text);
      const match = network === undefined || (!denies && isMappedNetwork(text, network)) ? text.toLowerCase() : network;
      return { effect: denies ? "deny" : "allow", match };
    });
    return new AddressPatterns(patterns);
  }

  /** Whether some pattern allows this address and none denies it. A text that is not an address is not allowed. */
  allows(address: string | undefined): boolean {
    const parsed = address === undefined ? undefined : parseAddress(address);
    if (parsed === undefined) return false;
    // However it came: a pattern that denies it must not depend on that.
    const text = addressText(parsed);
    const matching = this.#patterns.filter(({ match }) =>
      typeof match === "string" ? matchesWildcard(text, match) : inNetwork(parsed, match),
    );
    return matching.length > 0 && matching.every(({ effect }) => effect === "allow");
  }
}
