import { requirePackage } from "../../base/optional-package.js";
import type { PasswordHash } from "./password-hash.js";

type Bcrypt = Pick<typeof import("@node-rs/bcrypt"), "compare">;

/** A sixteenth of a second: less is too easily guessed. `htpasswd -B` makes 5 unless it is told otherwise. */
const MIN_COST = 10;
/** A second: with more, clients that guess could keep the server busy. */
const MAX_COST = 14;

/** @throws {Error} that tells why a text cannot be used as a hash */
export function parseBcryptHash(text: string): PasswordHash {
  const match = /^\$2[aby]\$(\d\d)\$([./A-Za-z\d]{21}[.Oeu][./A-Za-z\d]{31})$/.exec(text);
  if (match === null) throw new Error("the bcrypt hash is not $2b$, a cost of two digits, $ and 53 characters");
  const [, digits, saltAndHash] = match;
  const cost = Number(digits);
  if (cost < MIN_COST) throw new Error(`the hash is too cheap to compute: bcrypt has to cost at least ${MIN_COST}`);
  if (cost > MAX_COST) throw new Error(`the hash is too expensive to compute: bcrypt may cost at most ${MAX_COST}`);
  const bcrypt = requirePackage<Bcrypt>("@node-rs/bcrypt", "bcrypt hashes");
  return {
    cost: `bcrypt ${cost}`,
    // The bytes after these make no difference to bcrypt.
    maxPasswordLength: 72,
    // In a thread. $2a$, $2b$ and $2y$ differ in the errors of programs of old, not in what is right.
    matches: (password) => bcrypt.compare(password, `$2b$${digits}$${saltAndHash}`),
  };
}
