import type { Authenticator, Identity, PasswordChangeRequired } from "../auth/authenticator.js";
import { type AuthDecision, Grant } from "../auth/grant.js";
import { isPasswordChangeRequired } from "../auth/password.js";
import { callHook } from "../base/hook-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { takeRefusalReasons } from "../base/refusal-reasons.js";
import { AUTH_FAILED } from "../protocol/constants.js";
import type { Connection } from "../session/connection.js";
import { permissionsOf } from "./authentication-options.js";
import { allowedBy, answerOf, type HookFailed, notify } from "./hook-answers.js";
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
  const { decided, decidedOnPassword } = decisionsAbout(connection);
  return {
    permissions: (username) =>
      callHook("authentication.permissions", () => permissionsOf(server.authentication, username, connection)),
    requiredMethods: (username) => callHook("getRequiredAuths", () => server.getRequiredAuths(username, connection)),
    isRevoked: (key, username) => allowedBy("checkKeyRevoked", () => server.checkKeyRevoked(key, connection, username)),
    allowedMethods: (username) => callHook("getAllowedAuths", () => server.getAllowedAuths(username, connection)),
    banner: (username) => callHook("getBanner", () => server.getBanner(connection, username)),
    none: (username) => decided("checkAuthNone", () => server.checkAuthNone(username, connection)),
    password: (username, password) =>
      decidedOnPassword("checkAuthPassword", () => server.checkAuthPassword(username, password, connection)),
    passwordChange: (username, oldPassword, newPassword) =>
      decidedOnPassword("checkAuthPasswordChange", () =>
        server.checkAuthPasswordChange(username, oldPassword, newPassword, connection),
      ),
    publicKey: (username, key, algorithm) =>
      decided("checkAuthPublickey", () => server.checkAuthPublickey(username, key, connection, algorithm)),
    keyboardInteractive: (username, submethods, prompt) =>
      decided("checkAuthKeyboardInteractive", () =>
        server.checkAuthKeyboardInteractive(username, submethods, prompt, connection),
      ),
    refusalReason: () => takeRefusalReasons(connection),
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

/** Asks for decisions. The reasons that were noted before, about another question, are forgotten. */
function decisionsAbout(connection: Connection) {
  return {
    /** @throws {HookError} in place of whatever the hook throws, and for an answer that is not a decision */
    decided(hook: string, call: () => MaybePromise<AuthDecision>): MaybePromise<AuthDecision> {
      takeRefusalReasons(connection);
      return answerOf(hook, call, DECISIONS, isDecision);
    },

    /** The same for a password, which may have expired. */
    decidedOnPassword(hook: string, call: () => MaybePromise<PasswordDecision>): MaybePromise<PasswordDecision> {
      takeRefusalReasons(connection);
      const isAnswer = (answer: unknown) => isDecision(answer) || isPasswordChangeRequired(answer);
      return answerOf(hook, call, `${DECISIONS}, or { passwordChangeRequired }`, isAnswer);
    },
  };
}

const DECISIONS = "AUTH_SUCCESSFUL, AUTH_PARTIAL, AUTH_FAILED or a Grant";

type PasswordDecision = AuthDecision | PasswordChangeRequired;

function isDecision(answer: unknown): boolean {
  return answer === AUTH_FAILED || Grant.from(answer) !== undefined;
}
