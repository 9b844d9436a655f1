import { describe, expect, it } from "vitest";
import { parseArgon2Hash } from "../../../src/authenticators/passwords/argon2-hash.js";
import { matchesHash } from "../../../src/authenticators/passwords/password-hash.js";

/** All but one by the program `argon2` of the reference implementation; its salt is "somesalt16bytes.". */
const SALT = "c29tZXNhbHQxNmJ5dGVzLg";
const HASH = "VpFHgZfB0QUlHTKN8Ko36blHkfX28vZ7gCk1O8PvwfQ";

describe("parseArgon2Hash", () => {
  it.each([
    ["secret", `$argon2id$v=19$m=32768,t=2,p=1$${SALT}$${HASH}`],
    ["secret", `$argon2i$v=19$m=32768,t=2,p=2$${SALT}$HzKH4Vogt9rHB7h7WPPBo72mizDHmFM1SXJYii+0dxU`],
    ["secret", `$argon2d$v=19$m=32768,t=2,p=1$${SALT}$8ErK+/tSxy8PeVN4uPIgIPB8BXxHdkLVCC609ESyIks`],
    ["größer 🔑", `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$vLeSTLjWkdVTHKhvzPVNAqmmdHXUuguIoDdbSL4IOlY`],
    // From test.c of the reference implementation.
    ["password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
  ])("reads the hash of %j: %s", async (password, hash) => {
    const known = parseArgon2Hash(hash);
    expect(await matchesHash(password, known)).toBe(true);
    expect(await matchesHash(`${password}.`, known)).toBe(false);
    expect(await matchesHash("", known)).toBe(false);
  });

  it.each([
    ["m=7167,t=9,p=1", "too cheap"],
    ["m=8,t=9999,p=1", "too cheap"],
    ["m=16384,t=1,p=1", "too cheap"],
    ["m=32768,t=0,p=1", "too cheap"],
    ["m=32768,t=2,p=0", "too cheap"],
    ["m=262145,t=1,p=1", "too expensive"],
    ["m=9999999,t=1,p=1", "too expensive"],
    ["m=262144,t=5,p=1", "too expensive"],
    ["m=7168,t=9999999,p=1", "too expensive"],
    ["m=32768,t=2,p=17", "too expensive"],
    ["m=99999999,t=2,p=1", "is not $argon2id$"],
    ["m=32768,t=2", "is not $argon2id$"],
    ["m=32768,t=2,p=1,keyid=AAAA", "is not $argon2id$"],
    ["m=-32768,t=2,p=1", "is not $argon2id$"],
  ])("refuses the cost %s", (cost, reason) => {
    expect(() => parseArgon2Hash(`$argon2id$v=19$${cost}$${SALT}$${HASH}`)).toThrow(reason);
  });

  it.each([
    [`$argon2id$m=32768,t=2,p=1$${SALT}$${HASH}`, "is not $argon2id$"],
    [`$argon2id$v=16$m=32768,t=2,p=1$${SALT}$${HASH}`, "is not $argon2id$"],
    [`$argon2$v=19$m=32768,t=2,p=1$${SALT}$${HASH}`, "is not $argon2id$"],
    [`$argon2id$v=19$m=32768,t=2,p=1$${SALT}$${HASH}=`, "is not $argon2id$"],
    [`$argon2id$v=19$m=32768,t=2,p=1$${SALT}$${HASH}\n`, "is not $argon2id$"],
    [`$argon2id$v=19$m=32768,t=2,p=1$c29tZXM$${HASH}`, "the salt has 5 bytes"],
    [`$argon2id$v=19$m=32768,t=2,p=1$${SALT}$${HASH.slice(0, 16)}`, "the hash has 12 bytes"],
    [`$argon2id$v=19$m=32768,t=2,p=1$${SALT}$${HASH.slice(0, -1)}R`, "base64"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseArgon2Hash(text)).toThrow(reason);
  });
});
