import { describe, expect, it, vi } from "vitest";
import type { Identity } from "../../src/auth/authenticator.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { HookError } from "../../src/base/hook-error.js";
import { PKey } from "../../src/crypto/index.js";
import { SSHServer } from "../../src/index.js";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { bindAuthenticator } from "../../src/server/authentication-hooks.js";
import { fakeConnection } from "../connection/fake-connection.js";

describe("hooks of authentication", () => {
  const key = PKey.generate({ keyType: "ed25519" });
  const prompt = () => Promise.resolve([]);
  const identity: Identity = {
    username: "user",
    methods: ["password"],
    publicKeys: [],
    securityKeys: [],
    permissions: ALL_PERMISSIONS,
    data: undefined,
  };

  function bindAuth(server: SSHServer) {
    const connection = fakeConnection();
    const failed = vi.fn();
    const progress = { proven: vi.fn(), identified: vi.fn() };
    return { connection, failed, progress, authenticator: bindAuthenticator(server, connection, progress, failed) };
  }

  it("are called with what was asked and the connection, and their answers are passed on", () => {
    const server = new SSHServer();
    const calls: unknown[][] = [];
    for (const name of Object.getOwnPropertyNames(SSHServer.prototype)) {
      if (name === "constructor") continue;
      Object.defineProperty(server, name, { value: (...call: unknown[]) => [calls.push([name, ...call]), name] });
    }
    const { connection, authenticator } = bindAuth(server);
    const answers = [
      authenticator.allowedMethods("user"),
      authenticator.banner("user"),
      authenticator.none("user"),
      authenticator.password("user", "secret"),
      authenticator.passwordChange("user", "old", "new"),
      authenticator.isRevoked(key, "user"),
      authenticator.publicKey("user", key, "ssh-ed25519"),
      authenticator.keyboardInteractive("user", "sub", prompt),
    ];
    expect(calls).toEqual([
      ["getAllowedAuths", "user", connection],
      ["getBanner", connection, "user"],
      ["checkAuthNone", "user", connection],
      ["checkAuthPassword", "user", "secret", connection],
      ["checkAuthPasswordChange", "user", "old", "new", connection],
      ["checkKeyRevoked", key, connection, "user"],
      ["checkAuthPublickey", "user", key, connection, "ssh-ed25519"],
      ["checkAuthKeyboardInteractive", "user", "sub", prompt, connection],
    ]);
    expect(answers).toEqual(calls.map(([name], index) => [index + 1, name]));
  });

  it("are told of an identity before it is let in", async () => {
    const server = new SSHServer();
    const { connection, progress, authenticator } = bindAuth(server);
    const told = vi.fn(() => expect(progress.identified.mock.calls).toEqual([[identity]]));
    server.onAuthenticationSuccessful = told;
    await authenticator.succeeded(identity, "password");
    expect(told).toHaveBeenCalledExactlyOnceWith("user", "password", connection);
    expect(progress.identified).toHaveBeenCalledOnce();
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("refuse when onAuthenticationSuccessful %s: there is no identity any more", async (_, hook) => {
    const server = new SSHServer();
    server.onAuthenticationSuccessful = hook;
    const { progress, authenticator } = bindAuth(server);
    await expect((async () => authenticator.succeeded(identity, "password"))()).rejects.toThrow(
      new HookError("onAuthenticationSuccessful", new Error("broken")),
    );
    expect(progress.identified.mock.calls).toEqual([[identity], [undefined]]);
  });

  it("may fail without harm when they are told of a failure", async () => {
    const server = new SSHServer();
    server.onAuthenticationFailed = () => Promise.reject(new Error("broken"));
    const { failed, authenticator } = bindAuth(server);
    await authenticator.failed("user", "password");
    expect(failed).toHaveBeenCalledExactlyOnceWith("onAuthenticationFailed", new Error("broken"));
  });

  it("do not decide by themselves what an answer means", () => {
    const server = new SSHServer();
    server.checkAuthPassword = () => Object(AUTH_SUCCESSFUL);
    expect(bindAuth(server).authenticator.password("user", "secret")).not.toBe(AUTH_SUCCESSFUL);
  });
});
