import type { Authenticator, Identity } from "../auth/authenticator.js";
import { callHook } from "../base/hook-error.js";
import type { Connection } from "../session/connection.js";
import { permissionsOf } from "./authentication-options.js";
import { type HookFailed, notify } from "./hook-answers.js";
import type { SSHServer } from "./ssh-server.js";

/** The authentication hooks of a server, bound to one connection. */
export function bindAuthenticator(
  server: SSHServer,
  connection: Connection,
  progress: {
    /** The user named in the present attempts has proven these methods. */
    proven(methods: readonly string[]): void;
    /** The user has proven all that was asked; `undefined` if a hook refuses all the same. */
    identified(identity: Identity | undefined): void;
  },
  hookFailed: HookFailed,
): Authenticator {
  return {
    permissions: (username) =>
      callHook("authentication.permissions", () => permissionsOf(server.authentication, username, connection)),
    requiredMethods: (username) => callHook("getRequiredAuths", () => server.getRequiredAuths(username, connection)),
    isRevoked: (key, username) => callHook("checkKeyRevoked", () => server.checkKeyRevoked(key, connection, username)),
    allowedMethods: (username) => callHook("getAllowedAuths", () => server.getAllowedAuths(username, connection)),
    banner: (username) => callHook("getBanner", () => server.getBanner(connection, username)),
    none: (username) => callHook("checkAuthNone", () => server.checkAuthNone(username, connection)),
    password: (username, password) =>
      callHook("checkAuthPassword", () => server.checkAuthPassword(username, password, connection)),
    passwordChange: (username, oldPassword, newPassword) =>
      callHook("checkAuthPasswordChange", () =>
        server.checkAuthPasswordChange(username, oldPassword, newPassword, connection),
      ),
    publicKey: (username, key, algorithm) =>
      callHook("checkAuthPublickey", () => server.checkAuthPublickey(username, key, connection, algorithm)),
    keyboardInteractive: (username, submethods, prompt) =>
      callHook("checkAuthKeyboardInteractive", () =>
        server.checkAuthKeyboardInteractive(username, submethods, prompt, connection),
      ),
    proven: (methods) => progress.proven(methods),
    succeeded: async (identity, method) => {
      progress.identified(identity);
      try {
        await callHook("onAuthenticationSuccessful", () =>
          server.onAuthenticationSuccessful(identity.username, method, connection),
        );
      } catch (error) {
        progress.identified(undefined);
        throw error;
      }
    },
    failed: (username, method) =>
      notify("onAuthenticationFailed", hookFailed, () => server.onAuthenticationFailed(username, method, connection)),
  };
}
