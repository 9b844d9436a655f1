import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressPatterns } from "../../src/addresses/address-patterns.js";
import { matchesWildcard } from "../../src/addresses/wildcard.js";

describe("AddressPatterns", () => {
  it.each([
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.*", "10.1.2.3", true],
    ["10.1.2.?", "10.1.2.33", false],
    ["10.1.*", "::ffff:10.1.2.3", true],
    // As to sshd, which takes it for an address that no client comes from; to deny, it counts.
    ["::ffff:10.1.2.3", "10.1.2.3", false],
    ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3", false],
    ["::ffff:10.1.2.3,10.1.2.3", "10.1.2.3", true],
    ["!::ffff:10.1.2.3,*", "10.1.2.3", false],
    ["*", "::1", true],
    ["*", undefined, false],
    ["*", "pipe", false],
    ["::1", "0:0::1", true],
    ["2001:DB8:*", "2001:db8::1", true],
    ["!10.1.2.3,10.0.0.0/8", "10.1.2.3", false],
    ["10.0.0.0/8,!10.1.2.3", "10.1.2.3", false],
    ["10.0.0.0/8,!10.1.2.3", "10.1.2.4", true],
    ["!10.1.2.3", "10.1.2.4", false],
    ["*,!2001:db8::*", "2001:db8::1", false],
    ["*,!2001:db8::*", "2001:0DB8:0:0::1", false],
    ["*,!fe80::*", "fe80:0::1%eth0", false],
    ["*.example.com,localhost", "127.0.0.1", false],
  ])("%s for %s: %s", (list, address, allowed) => {
    expect(AddressPatterns.parse(list).allows(address)).toBe(allowed);
  });

  it.each(["", ",10.0.0.1", "10.0.0.1,", "!", "10.0.0.1/8", "10.0.0.0/40"])("refuses the list %j", (list) => {
    expect(() => AddressPatterns.parse(list)).toThrow();
  });
});

describe("matchesWildcard", () => {
  it("agrees with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
    fc.assert(
      fc.property(letters, pattern, (text, wildcard) => {
        const expression = new RegExp(`^${wildcard.replaceAll("?", ".").replaceAll("*", ".*")}$`);
        expect(matchesWildcard(text, wildcard)).toBe(expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("takes no time that grows with a power of the stars", () => {
    expect(matchesWildcard("a".repeat(5000), `${"*a".repeat(1000)}*b`)).toBe(false);
  });
});
