import { describe, expect, it } from "vitest";
import { attemptFrom, refused } from "../../src/auth/attempt.js";
import { PKey } from "../../src/crypto/keys/pkey.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { NOT_SUCCESSFUL } from "./hook-results.js";

describe("attemptFrom", () => {
  it("takes exactly AUTH_SUCCESSFUL and AUTH_PARTIAL for proof", () => {
    expect(attemptFrom(AUTH_SUCCESSFUL)).toEqual({ kind: "proven", completeness: "full" });
    expect(attemptFrom(AUTH_PARTIAL)).toEqual({ kind: "proven", completeness: "partial" });
  });

  it.each(NOT_SUCCESSFUL)("refuses %s", (_, result) => {
    expect(attemptFrom(result).kind).toBe("refused");
  });

  it("keeps a key only with a proof", () => {
    const key = PKey.generate({ keyType: "ed25519" });
    expect(attemptFrom(AUTH_SUCCESSFUL, key)).toMatchObject({ publicKey: key });
    expect(attemptFrom(AUTH_PARTIAL, key)).toMatchObject({ publicKey: key });
    expect(attemptFrom(AUTH_FAILED, key)).not.toHaveProperty("publicKey");
  });
});

describe("refused", () => {
  it("holds the reason for the log", () => {
    expect(refused("because")).toEqual({ kind: "refused", reason: "because" });
  });
});
