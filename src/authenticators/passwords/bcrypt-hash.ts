import { timingSafeEqual } from "node:crypto";
import { requirePackage } from "../../base/optional-package.js";
import type { PasswordHash } from "./password-hash.js";

type Bcrypt = Pick<typeof import("@node-rs/bcrypt"), "hash">;

/** A sixteenth of a second: less is too easily guessed. `htpasswd -B` makes 5 unless it is told otherwise. */
const MIN_COST = 10;
/** A second: with more, clients that guess could keep the server busy. */
const MAX_COST = 14;

const DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** @throws {Error} that tells why a text cannot be used as a hash */
export function parseBcryptHash(text: string): PasswordHash {
  const match = /^\$2[aby]\$(\d\d)\$([./A-Za-z\d]{21}[.Oeu])([./A-Za-z\d]{31})$/.exec(text);
  if (match === null) throw new Error("the bcrypt hash is not $2b$, a cost of two digits, $ and 53 characters");
  const [, digits, salt = "", hash = ""] = match;
  const cost = Number(digits);
  if (cost < MIN_COST) throw new Error(`the hash is too cheap to compute: bcrypt has to cost at least ${MIN_COST}`);
  if (cost > MAX_COST) throw new Error(`the hash is too expensive to compute: bcrypt may cost at most ${MAX_COST}`);
  const bcrypt = requirePackage<Bcrypt>("@node-rs/bcrypt", "bcrypt hashes");
  const saltBytes = decode(salt);
  const wanted = Buffer.from(hash, "latin1");
  return {
    cost: `bcrypt ${cost}`,
    // The bytes after these make no difference to bcrypt.
    maxPasswordLength: 72,
    async matches(password) {
      // In a thread. $2a$, $2b$ and $2y$ differ in the errors of programs of old, not in what is right.
      const computed = await bcrypt.hash(password, { cost, salt: saltBytes });
      return timingSafeEqual(Buffer.from(computed.slice(-wanted.length), "latin1"), wanted);
    },
  };
}

/** Reads base64 in the alphabet of bcrypt. */
function decode(text: string): Buffer {
  const base64 = text.replaceAll(/./g, (digit) => BASE64_DIGITS.charAt(DIGITS.indexOf(digit)));
  return Buffer.from(base64, "base64");
}
