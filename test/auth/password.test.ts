import { describe, expect, it } from "vitest";
import { attemptPassword } from "../../src/auth/password.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { decodeUserauthRequest } from "../../src/protocol/messages/userauth.js";
import { message, passwordChangeRequest, passwordRequest, userauthRequest } from "../support/packet-messages.js";
import { TestAuthenticator } from "./test-authenticator.js";

/** A request with a password that need not be text. */
const rawRequest = (password: Uint8Array) =>
  userauthRequest("alice", "password").writeBoolean(false).writeString(password).toBuffer();

async function attempt(payload: Buffer, result: unknown = AUTH_SUCCESSFUL) {
  const authenticator = new TestAuthenticator({ password: () => result, passwordChange: () => result });
  return { attempt: await attemptPassword(decodeUserauthRequest(payload), authenticator), calls: authenticator.calls };
}

describe("attemptPassword", () => {
  it("asks the hook", async () => {
    expect(await attempt(passwordRequest("alice", "secret"))).toEqual({
      attempt: { kind: "proven", completeness: "full", permissions: ALL_PERMISSIONS },
      calls: [["password", "alice", "secret"]],
    });
    expect((await attempt(passwordRequest("alice", "secret"), AUTH_FAILED)).attempt.kind).toBe("refused");
  });

  it.each(["", "pässwörd €𝄞", "\ufeffmark", "zero\0byte", "e\u0301"])(
    "gives the hook %j as it is",
    async (password) => {
      expect((await attempt(passwordRequest("alice", password))).calls).toEqual([["password", "alice", password]]);
    },
  );

  it("takes 1024 bytes, however many characters they are, and no more", async () => {
    for (const longest of ["x".repeat(1024), "€".repeat(341)]) {
      expect((await attempt(passwordRequest("alice", longest))).calls.length).toBe(1);
    }
    for (const tooLong of ["x".repeat(1025), "€".repeat(342)]) {
      const { attempt: result, calls } = await attempt(passwordRequest("alice", tooLong));
      expect([result.kind, calls]).toEqual(["refused", []]);
    }
  });

  it.each(["ff", "c080", "eda080", "61ff"])(
    "refuses the bytes %s, which are not UTF-8, without asking",
    async (bytes) => {
      const { attempt: result, calls } = await attempt(rawRequest(Buffer.from(bytes, "hex")));
      expect([result.kind, calls]).toEqual(["refused", []]);
    },
  );

  it("changes a password", async () => {
    expect(await attempt(passwordChangeRequest("alice", "old", "new"))).toEqual({
      attempt: { kind: "proven", completeness: "full", permissions: ALL_PERMISSIONS },
      calls: [["passwordChange", "alice", "old", "new"]],
    });
    expect((await attempt(passwordChangeRequest("alice", "old", "new"), AUTH_FAILED)).attempt.kind).toBe("refused");
  });

  it("changes neither from nor to a password that is too long or no text", async () => {
    const long = "x".repeat(1025);
    for (const [oldPassword, newPassword] of [
      [long, "new"],
      ["old", long],
    ] as const) {
      const { attempt: result, calls } = await attempt(passwordChangeRequest("alice", oldPassword, newPassword));
      expect([result.kind, calls]).toEqual(["refused", []]);
    }
    const request = userauthRequest("alice", "password").writeBoolean(true).writeString("old");
    const { attempt: result, calls } = await attempt(request.writeString(Buffer.of(0xff)).toBuffer());
    expect([result.kind, calls]).toEqual(["refused", []]);
  });

  it("asks for a new password when the hook wants one", async () => {
    const { attempt: result } = await attempt(passwordRequest("alice", "old"), { passwordChangeRequired: "expired" });
    const expected = Buffer.concat([message(60, "expired"), Buffer.alloc(4)]);
    expect(result).toEqual({ kind: "continue", reply: expected });
  });

  it.each([[{ passwordChangeRequired: true }], [{ passwordChangeRequired: undefined }], [{}], [[]], [null]])(
    "refuses for a hook that returns %j",
    async (result) => {
      expect((await attempt(passwordRequest("alice", "old"), result)).attempt.kind).toBe("refused");
    },
  );

  it("does not take a request for a change for proof", async () => {
    const change = passwordChangeRequest("alice", "old", "new");
    expect((await attempt(change, { passwordChangeRequired: "again" })).attempt.kind).not.toBe("proven");
  });

  it("refuses malformed fields", async () => {
    const request = userauthRequest("alice", "password").writeBoolean(true).writeString("old").toBuffer();
    await expect(attempt(request)).rejects.toThrow(ProtocolError);
    await expect(attempt(Buffer.concat([passwordRequest("alice", "x"), Buffer.of(0)]))).rejects.toThrow(ProtocolError);
  });
});
