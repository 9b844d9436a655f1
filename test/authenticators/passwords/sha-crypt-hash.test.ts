import { describe, expect, it } from "vitest";
import { matchesHash } from "../../../src/authenticators/passwords/password-hash.js";
import { parseShaCryptHash } from "../../../src/authenticators/passwords/sha-crypt-hash.js";

const SHA256 = "28YgC4.tAowV13jNxqzLnOO0f1mtdYEDqrNBYLuRao/";
const SHA512 = "RYp6MntZMSU.gp5umToWAut5JOaOhj4BuCIG4bPvwUyU6JcyI1ElKFBvv6sliaewhCILuowLcf.a/6q65AIZ91";

describe("parseShaCryptHash", () => {
  it.each([
    ["openssl passwd -5", "secret", `$5$opensslsalt$${SHA256}`],
    ["openssl passwd -6", "secret", `$6$opensslsalt$${SHA512}`],
    ["mkpasswd -m sha-256", "secret", "$5$rounds=10000$0123456789abcdef$l3iiXOrZ/UGj6RlK0Fdij.AkLNj1kDYLLD9q54CCK.3"],
    [
      "mkpasswd -m sha-512",
      "secret",
      "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
    ],
    ["libxcrypt", "größer 🔑", "$5$Zx8.k/3bQw$uIFNrdR2FnaCcj8t8F2aidlcScKBDENekmgIIpiW/F0"],
    [
      "libxcrypt",
      "größer 🔑",
      "$6$rounds=5000$aB3xYz0123456789$gfC2Exthnfx/INTunGV1W4ay9mmb6W8moGRU7bsOcESRYB.6TmkCW2YKofYJcAOKADWJLUfOduDaeVkzGHK5Z.",
    ],
  ])("reads what %s has made of %j: %s", async (_program, password, hash) => {
    const known = parseShaCryptHash(hash);
    expect(await matchesHash(password, known)).toBe(true);
    expect(await matchesHash(`${password}.`, known)).toBe(false);
    expect(await matchesHash(`${password}\0`, known)).toBe(false);
    expect(await matchesHash("", known)).toBe(false);
  });

  it("reads what libxcrypt has made with the most rounds that may be", async () => {
    const known = parseShaCryptHash(
      "$6$rounds=200000$abcdefgh$nUZSICAH8m.0ZfqBc3RaARNZgI9DlkCHAMWlq7JKXZi9CiuWXjeB.zm5tT/ShrDn93diyQBmzruwu8XvqmJ5F.",
    );
    expect(await matchesHash("secret", known)).toBe(true);
  });

  it.each([
    [`$5$rounds=4999$opensslsalt$${SHA256}`, "too cheap"],
    [`$6$rounds=1000$opensslsalt$${SHA512}`, "too cheap"],
    [`$6$rounds=200001$opensslsalt$${SHA512}`, "too expensive"],
    [`$6$rounds=999999999$opensslsalt$${SHA512}`, "too expensive"],
    [`$6$rounds=9999999999$opensslsalt$${SHA512}`, "is not $5$salt$"],
    [`$6$rounds=05000$opensslsalt$${SHA512}`, "is not $5$salt$"],
    [`$6$rounds=$opensslsalt$${SHA512}`, "is not $5$salt$"],
    [`$5$opensslsalt$${SHA512}`, "is not $5$salt$"],
    [`$6$opensslsalt$${SHA256}`, "is not $5$salt$"],
    [`$6$openssl salt$${SHA512}`, "is not $5$salt$"],
    [`$6$opensslsaltopenss$${SHA512}`, "is not $5$salt$"],
    [`$6$opensslsalt$${SHA512}\n`, "is not $5$salt$"],
    [`$6$openssl$${SHA512}`, "the salt has fewer than 8 characters"],
    [`$6$$${SHA512}`, "the salt has fewer than 8 characters"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseShaCryptHash(text)).toThrow(reason);
  });

  it("takes no password that is so long that it would be expensive", async () => {
    expect(parseShaCryptHash(`$5$opensslsalt$${SHA256}`).maxPasswordLength).toBe(512);
  });
});
