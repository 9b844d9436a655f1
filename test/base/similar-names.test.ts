import { describe, expect, it } from "vitest";
import { nearestName, relatedName, sameButForForm } from "../../src/base/similar-names.js";

describe("similar names", () => {
  it.each([
    ["checkAuthPublicKey", "checkAuthPublickey", true],
    ["check_auth_password", "checkAuthPassword", true],
    ["max-auth-tries", "maxAuthTries", true],
    ["checkAuthPasswords", "checkAuthPassword", false],
  ])("are the same but for their form, or not: %s, %s", (one, other, same) => {
    expect(sameButForForm(one, other)).toBe(same);
    expect(sameButForForm(other, one)).toBe(same);
  });

  const names = ["access", "rootPath", "bytes", "bits"] as const;
  it.each([
    ["acess", "access"],
    ["acecss", "access"],
    ["accesses", "access"],
    ["axxess", "access"],
    ["rootpath", "rootPath"],
    ["root_path", "rootPath"],
    ["rotPaht", undefined],
    ["accesssss", undefined],
    ["byte", "bytes"],
    ["bit", "bits"],
    ["", undefined],
    ["x".repeat(1_000_000), undefined],
  ])("are found within two letters: %.20s", (name, nearest) => {
    expect(nearestName(name, names)).toBe(nearest);
  });

  it("have at least half of their letters in common", () => {
    expect(nearestName("ab", ["xy"])).toBeUndefined();
    expect(nearestName("a", ["b"])).toBeUndefined();
    expect(nearestName("ax", ["xy"])).toBeUndefined();
    expect(nearestName("a", ["ab"])).toBe("ab");
    expect(nearestName("dir", ["cwd", "uid"])).toBeUndefined();
  });

  it.each([
    ["checkKeyRevocation", "checkKeyRevoked"],
    ["check_revocation", "checkKeyRevoked"],
    ["checkPassword", "checkAuthPassword"],
    ["checkPty", "checkChannelPtyRequest"],
    ["checkQuota", undefined],
    ["check", undefined],
  ])("are related by the letters that they share: %s", (name, related) => {
    const hooks = ["checkAuthPasswordChange", "checkAuthPassword", "checkKeyRevoked", "checkChannelPtyRequest"];
    expect(relatedName(name, hooks)).toBe(related);
  });
});
