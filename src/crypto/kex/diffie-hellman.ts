import type { ExchangeHash } from "./key-exchange.js";
import { agreeModp, type ModpGroup, offerModp } from "./modp-group.js";
import { oneRoundAlgorithm } from "./one-round.js";

/** RFC 8268 §3, over the groups of RFC 3526. */
export const diffieHellmanGroup14Sha256 = diffieHellman("diffie-hellman-group14-sha256", "modp14", "sha256");
export const diffieHellmanGroup16Sha512 = diffieHellman("diffie-hellman-group16-sha512", "modp16", "sha512");
export const diffieHellmanGroup18Sha512 = diffieHellman("diffie-hellman-group18-sha512", "modp18", "sha512");

function diffieHellman(name: string, group: ModpGroup, hash: ExchangeHash) {
  return oneRoundAlgorithm({
    name,
    hash,
    publicValues: "mpint",
    respond: (clientValue) => agreeModp(group, clientValue),
    initiate: () => offerModp(group),
  });
}
