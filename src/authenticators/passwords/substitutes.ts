import { createHmac, randomBytes } from "node:crypto";
import type { PasswordHash } from "./password-hash.js";
import { nobodysHash } from "./scrypt-hash.js";

/**
 * Hashes that are computed for names without one, so that how long an answer takes does not tell which names those are.
 * Each name has one that costs as much as those of some users: the same each time, though the list of users changes,
 * and each cost as often as among the users.
 */
export class Substitutes {
  readonly #secret = randomBytes(32);
  readonly #nobody = nobodysHash();
  #users: Iterable<PasswordHash> | undefined;
  #costs: readonly { readonly hash: PasswordHash; readonly users: number }[] = [];

  /** @param hashes of all users; the same object as long as they are the same */
  for(username: string, hashes: Iterable<PasswordHash>): PasswordHash {
    if (hashes !== this.#users) {
      this.#users = hashes;
      this.#costs = byCost(hashes);
    }
    let best: { readonly hash: PasswordHash; readonly score: number } | undefined;
    for (const { hash, users } of this.#costs) {
      // Weighted rendezvous hashing: a cost more or less changes the choice of no more names than it has to.
      const score = -users / Math.log(this.#random(`${hash.cost}\n${username}`));
      if (best === undefined || score > best.score) best = { hash, score };
    }
    return best?.hash ?? this.#nobody;
  }

  /** Between 0 and 1, without both. */
  #random(text: string): number {
    return (createHmac("sha256", this.#secret).update(text).digest().readUInt32BE() + 0.5) / 2 ** 32;
  }
}

function byCost(hashes: Iterable<PasswordHash>) {
  const costs = new Map<string, { readonly hash: PasswordHash; users: number }>();
  for (const hash of hashes) {
    const known = costs.get(hash.cost);
    if (known === undefined) costs.set(hash.cost, { hash, users: 1 });
    else known.users++;
  }
  return [...costs.values()];
}
