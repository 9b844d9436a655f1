import { describe, expect, it } from "vitest";
import type { PasswordHash } from "../../../src/authenticators/passwords/password-hash.js";
import { nobodysHash } from "../../../src/authenticators/passwords/scrypt-hash.js";
import { newSecret, Substitutes } from "../../../src/authenticators/passwords/substitutes.js";

const SECRET = newSecret();
const hashOf = (cost: string): PasswordHash => ({ cost, maxPasswordLength: 72, matches: async () => false });
const NAMES = Array.from({ length: 1000 }, (_, index) => `user${index}`);
const hashes = (...counts: readonly [cost: string, count: number][]) =>
  counts.flatMap(([cost, count]) => Array.from({ length: count }, () => hashOf(cost)));

describe("Substitutes", () => {
  it("cost what the users' hashes cost, as often, and for a name always the same", () => {
    const substitutes = new Substitutes();
    const users = hashes(["cheap", 10], ["dear", 90]);
    const costs = NAMES.map((name) => substitutes.for(name, users, SECRET).cost);
    expect(NAMES.map((name) => substitutes.for(name, users, SECRET).cost)).toEqual(costs);
    const cheap = costs.filter((cost) => cost === "cheap").length;
    // The chance of being outside is less than one in a million.
    expect(cheap).toBeGreaterThan(50);
    expect(cheap).toBeLessThan(155);
  });

  it("stay the same for a name when users come and go", () => {
    const substitutes = new Substitutes();
    const before = NAMES.map((name) => substitutes.for(name, hashes(["cheap", 50], ["dear", 50]), SECRET).cost);
    const after = NAMES.map((name) => substitutes.for(name, hashes(["dear", 51], ["cheap", 50]), SECRET).cost);
    expect(after.filter((cost, index) => cost !== before[index]).length).toBeLessThan(40);
  });

  it("are others with each start", () => {
    const users = hashes(["cheap", 50], ["dear", 50]);
    const costs = () => {
      const secret = newSecret();
      return NAMES.map((name) => new Substitutes().for(name, users, secret).cost);
    };
    expect(costs()).not.toEqual(costs());
  });

  it("cost what a new hash does where nobody has one", () => {
    expect(new Substitutes().for("ann", [], SECRET).cost).toBe(nobodysHash().cost);
  });
});
