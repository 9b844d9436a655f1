import { describe, expect, it, vi } from "vitest";
import type { Identity } from "../../src/auth/authenticator.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { HookError } from "../../src/base/hook-error.js";
import { PKey } from "../../src/crypto/index.js";
import { Grant, SSHServer } from "../../src/index.js";
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
    const given = { getAllowedAuths: ["password"], getBanner: "banner", checkKeyRevoked: true };
    const decisions = new Map<string, unknown>(Object.entries(given));
    for (const name of Object.getOwnPropertyNames(SSHServer.prototype)) {
      if (name === "constructor") continue;
      if (name.startsWith("checkAuth")) decisions.set(name, new Grant({ data: name }));
      const value = (...call: unknown[]) => {
        calls.push([name, ...call]);
        return decisions.get(name);
      };
      Object.defineProperty(server, name, { value });
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
    expect(answers).toEqual(calls.map(([name]) => decisions.get(`${name}`)));
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

  it.each([Object(AUTH_SUCCESSFUL), true, undefined, 3, "secret", { passwordChangeRequired: 1 }])(
    "have failed where an answer is not a decision: %o",
    async (answer) => {
      const server = new SSHServer();
      server.checkAuthPassword = () => answer;
      server.checkAuthPublickey = async () => answer;
      const { authenticator } = bindAuth(server);
      expect(() => authenticator.password("user", "secret")).toThrow(HookError);
      await expect(authenticator.publicKey("user", key, "ssh-ed25519")).rejects.toThrow(HookError);
    },
  );

  it("name what is wrong with an answer, and do not repeat a text, which may be a secret", () => {
    const server = new SSHServer();
    server.checkAuthNone = () => "secret" as never;
    const { authenticator } = bindAuth(server);
    const error = thrownBy(() => authenticator.none("user"));
    expect((error as Error).cause).toEqual(
      new TypeError(
        "the answer of checkAuthNone has to be AUTH_SUCCESSFUL, AUTH_PARTIAL, AUTH_FAILED or a Grant, and is a text",
      ),
    );
  });

  it("may ask for another password, and for nothing else of that kind", () => {
    const server = new SSHServer();
    const expired = { passwordChangeRequired: "expired" };
    server.checkAuthPassword = () => expired;
    server.checkAuthNone = () => expired as never;
    const { authenticator } = bindAuth(server);
    expect(authenticator.password("user", "secret")).toBe(expired);
    expect(() => authenticator.none("user")).toThrow(HookError);
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
