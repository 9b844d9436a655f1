import { createHmac, randomBytes } from "node:crypto";
import type { PasswordHash } from "./password-hash.js";
import { nobodysHash } from "./scrypt-hash.js";

/** A secret for `Substitutes`. */
export function newSecret(): Buffer {
  return randomBytes(32);
}

/**
 * Hashes that are computed for names without one, so that how long an answer takes does not tell which names those are.
 * Each name has a hash that costs as much as those of some users. It stays the same though the list of users changes, and each
 * cost is as frequent as among the users.
 */
export class Substitutes {
  readonly #nobody = nobodysHash();
  #users: Iterable<PasswordHash> | undefined;
  #costs: readonly { readonly hash: PasswordHash; readonly users: number }[] = [];

  /**
   * @param hashes of all users; the same object as long as they are the same
   * @param secret the same as long as the server runs
   */
  for(username: string, hashes: Iterable<PasswordHash>, secret: Buffer): PasswordHash {
    if (hashes !== this.#users) {
      this.#users = hashes;
      this.#costs = byCost(hashes);
    }
    let best: { readonly hash: PasswordHash; readonly score: number } | undefined;
    for (const { hash, users } of this.#costs) {
      // Weighted rendezvous hashing: a cost more or less changes the choice of no more names than it has to.
      const score = -users / Math.log(randomOf(`${hash.cost}\n${username}`, secret));
      if (best === undefined || score > best.score) best = { hash, score };
    }
    return best?.hash ?? this.#nobody;
  }
}

/** Between 0 and 1, without both. */
function randomOf(text: string, secret: Buffer): number {
  return (createHmac("sha256", secret).update(text).digest().readUInt32BE() + 0.5) / 2 ** 32;
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
