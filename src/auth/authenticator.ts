import type { MaybePromise } from "../base/maybe-promise.js";
import type { SecurityKeySignature } from "../crypto/keys/security-keys.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { InfoRequest } from "../protocol/messages/userauth-keyboard-interactive.js";
import type { AuthDecision } from "./grant.js";
import type { Permissions } from "./permissions.js";
import type { MethodLists } from "./required-methods.js";

/**
 * A result of `checkAuthPassword`: the password is right but has expired; the client is asked for a new one. Of
 * `checkAuthPasswordChange`: the new one is not good enough; the client is asked for another.
 */
export interface PasswordChangeRequired {
  /** Text for the user. */
  readonly passwordChangeRequired: string;
}

/**
 * Asks the user one round of questions and resolves to the answers, one for each prompt, in order.
 * Rejects when the client gives up the attempt or the connection ends.
 */
export type Prompt = (request: InfoRequest) => Promise<string[]>;

/** The statements of a FIDO key in a signature that was verified (OpenSSH PROTOCOL.u2f). */
export interface SecurityKeyProof extends SecurityKeySignature {
  /** The FIDO key that has made the signature. */
  readonly key: PKey;
}

/** The user of a connection, once authentication has succeeded. Frozen. */
export interface Identity<Data = unknown> {
  /** The name that the user has logged in by. */
  readonly username: string;
  /** The methods that were proven, in order; more than one after partial successes. */
  readonly methods: readonly string[];
  /** The public keys whose private halves the client has proven to hold, in order. */
  readonly publicKeys: readonly PKey[];
  /** The FIDO keys among them with their statements: counter, presence and verification of the user. */
  readonly securityKeys: readonly SecurityKeyProof[];
  /** The intersection of all permissions that were proven and configured. The library enforces it. */
  readonly permissions: Permissions;
  /**
   * The data of the last `Grant` that had some, of those that have let this user in; `undefined` where none had. Not frozen:
   * they are the program's own.
   */
  readonly data: Data;
}

/**
 * The hooks of a server that decide about authentication requests, bound to a connection. Results are compared
 * strictly: only exactly AUTH_SUCCESSFUL, AUTH_PARTIAL and a Grant let a user in. All other values refuse, and so do
 * throws and rejections.
 */
export interface Authenticator {
  /** The most that a user may do, whatever a factor grants. Asked once the first factor is proven; a throw refuses. */
  permissions(username: string): MaybePromise<Permissions>;
  allowedMethods(username: string): MaybePromise<readonly string[]>;
  /** Which methods have to be proven together; `undefined` where the decisions on each of them tell. */
  requiredMethods(username: string): MaybePromise<MethodLists | undefined>;
  /** @param username of the first request; empty where it is not UTF-8 */
  banner(username: string): MaybePromise<string | undefined>;
  none(username: string): MaybePromise<AuthDecision>;
  password(username: string, password: string): MaybePromise<AuthDecision | PasswordChangeRequired>;
  passwordChange(
    username: string,
    oldPassword: string,
    newPassword: string,
  ): MaybePromise<AuthDecision | PasswordChangeRequired>;
  /** Anything but exactly `false` refuses the key, and so do throws and rejections. */
  isRevoked(key: PKey, username: string): MaybePromise<boolean>;
  /** @param algorithm as the request names it */
  publicKey(username: string, key: PKey, algorithm: string): MaybePromise<AuthDecision>;
  keyboardInteractive(username: string, submethods: string, prompt: Prompt): MaybePromise<AuthDecision>;
  /** For the log: why the last decision was a refusal, where the decision has told. */
  refusalReason(): string | undefined;
  /** One factor more was proven, or with none left to prove, all. */
  proven(methods: readonly string[]): void;
  /** All that was asked was proven. The client is let in once this is done; a throw refuses it. */
  succeeded(identity: Identity, method: string): MaybePromise<void>;
  failed(username: string, method: string): MaybePromise<void>;
}
