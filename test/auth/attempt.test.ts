import { describe, expect, it } from "vitest";
import { attemptFrom, refused } from "../../src/auth/attempt.js";
import { Grant } from "../../src/auth/grant.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

describe("attemptFrom", () => {
  it("takes exactly AUTH_SUCCESSFUL and AUTH_PARTIAL for proof", () => {
    expect(attemptFrom(AUTH_SUCCESSFUL)).toEqual({
      kind: "proven",
      completeness: "full",
      permissions: ALL_PERMISSIONS,
    });
    expect(attemptFrom(AUTH_PARTIAL)).toMatchObject({ kind: "proven", completeness: "partial" });
  });

  it("takes the permissions of a grant", () => {
    const grant = new Grant({ permissions: { pty: false } });
    expect(attemptFrom(grant)).toMatchObject({ completeness: "full", permissions: { pty: false, userRc: true } });
    expect(attemptFrom(new Grant({ result: AUTH_PARTIAL }))).toMatchObject({ completeness: "partial" });
  });

  it("takes nothing for a grant that only looks like one", () => {
    const { result, permissions } = new Grant();
    expect(attemptFrom({ result, permissions }).kind).toBe("refused");
    expect(attemptFrom(Grant).kind).toBe("refused");
  });
});

describe("refused", () => {
  it("holds the reason for the log", () => {
    expect(refused("because")).toEqual({ kind: "refused", reason: "because" });
    const offeredKey = PKey.generate({ keyType: "ed25519" });
    expect(refused("because", offeredKey)).toEqual({ kind: "refused", reason: "because", offeredKey });
  });
});
