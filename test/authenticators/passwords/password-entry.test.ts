import { describe, expect, it } from "vitest";
import { parsePasswordEntry } from "../../../src/authenticators/passwords/password-entry.js";
import { KNOWN_HASHES } from "./known-hashes.js";

const { hash } = KNOWN_HASHES["SHA-512 crypt"];
const TODAY = 20_000;
const refusal = (value: string, today = TODAY) => parsePasswordEntry(value).refusal(today);

describe("parsePasswordEntry", () => {
  it.each([
    [`${hash}`],
    [`${hash}:19000:0:99999:7:::`],
    [`${hash}:::::::`],
    [`${hash}:19000:0:1000:7:::`],
    [`${hash}:19000:0:-1:7::-1:`],
    [`${hash}:19000:0:99999:7:0:20001:`],
  ])("takes %s", (value) => {
    expect(refusal(value)).toBeUndefined();
    expect(parsePasswordEntry(value).hash?.cost).toMatch(/^sha512/);
  });

  it.each([
    ["!", "the password is locked"],
    ["*", "the password is locked"],
    ["!!", "the password is locked"],
    ["!*:19000:0:99999:7:::", "the password is locked"],
    [`!${hash}`, "the password is locked"],
    [`!${hash}:19000:0:99999:7:::`, "the password is locked"],
    [`${hash}:19000:0:99999:7::20000:`, "the account has expired"],
    [`${hash}:19000:0:99999:7::1:`, "the account has expired"],
    [`${hash}:19000:0:99999:7::0:`, "the account has expired"],
    [`${hash}:0:0:99999:7:::`, "the password has to be changed first"],
    [`${hash}:19000:0:999:7:::`, "the password has expired"],
    [`${hash}:19000:0:0:7:90::`, "the password has expired"],
  ])("knows of %s that it lets nobody in", (value, reason) => {
    expect(refusal(value)).toBe(reason);
  });

  it("lets in until the day before the account expires", () => {
    const value = `${hash}:19000:0:99999:7::20000:`;
    expect(refusal(value, 19_999)).toBeUndefined();
    expect(refusal(value, 20_000)).toBe("the account has expired");
  });

  it.each([
    ["", "the line has no hash"],
    [":19000:0:99999:7:::", "the line has no hash"],
    [`${hash}:`, "neither name:hash nor a line of a shadow file"],
    [`${hash}:19000:0:99999:7::`, "neither name:hash nor a line of a shadow file"],
    [`${hash}:19000:0:99999:7::::`, "neither name:hash nor a line of a shadow file"],
    [`${hash}:x:0:99999:7:::`, "is not a number"],
    [`${hash}:19000:0:99999:7::2030-01-01:`, "is not a number"],
    [`${hash}:19000:0:99999:7:::reserved`, "is not a number"],
    [`${hash}:19000:0:1e3:7:::`, "is not a number"],
    ["$1$salt$hash:19000:0:99999:7:::", "not of a kind"],
  ])("refuses %s", (value, reason) => {
    expect(() => parsePasswordEntry(value)).toThrow(reason);
  });
});
