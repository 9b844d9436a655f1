import type { PKey } from "../crypto/keys/pkey.js";
import type { AuthResult } from "../protocol/constants.js";
import type { InfoRequest } from "../protocol/messages/userauth.js";

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

type MaybePromise<T> = T | Promise<T>;

/** Who a connection belongs to, once authentication has succeeded. Frozen. */
export interface Identity {
  readonly username: string;
  /** The methods that were proven, in order; more than one after partial successes. */
  readonly methods: readonly string[];
  /** The public keys whose private halves the client has proven to hold, in order. */
  readonly publicKeys: readonly PKey[];
}

/**
 * What decides about authentication requests: the hooks of a server, bound to a connection. Results are compared
 * strictly: whatever is not exactly AUTH_SUCCESSFUL or AUTH_PARTIAL refuses, and so do throws and rejections.
 */
export interface Authenticator {
  allowedMethods(username: string): MaybePromise<readonly string[]>;
  banner(): MaybePromise<string | undefined>;
  none(username: string): MaybePromise<AuthResult>;
  password(username: string, password: string): MaybePromise<AuthResult | PasswordChangeRequired>;
  passwordChange(
    username: string,
    oldPassword: string,
    newPassword: string,
  ): MaybePromise<AuthResult | PasswordChangeRequired>;
  publicKey(username: string, key: PKey): MaybePromise<AuthResult>;
  keyboardInteractive(username: string, submethods: string, prompt: Prompt): MaybePromise<AuthResult>;
  /** One factor more was proven, or with none left to prove, all. */
  proven(methods: readonly string[]): void;
  /** All that was asked was proven. The client is let in once this is done; a throw refuses it. */
  succeeded(identity: Identity, method: string): MaybePromise<void>;
  failed(username: string, method: string): MaybePromise<void>;
}
