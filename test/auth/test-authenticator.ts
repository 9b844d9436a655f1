import type { Authenticator, Identity, Prompt } from "../../src/auth/authenticator.js";
import { ALL_PERMISSIONS, type Permissions } from "../../src/auth/permissions.js";
import type { MethodLists } from "../../src/auth/required-methods.js";
import type { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_FAILED, type AuthResult } from "../../src/protocol/constants.js";

/** Hooks without types, as programs in JavaScript have them. */
export interface Hooks {
  readonly permissions?: (username: string) => unknown;
  readonly requiredMethods?: (username: string) => unknown;
  readonly isRevoked?: (key: PKey, username: string) => unknown;
  readonly allowedMethods?: (username: string) => unknown;
  readonly banner?: (username: string) => unknown;
  readonly none?: (username: string) => unknown;
  readonly password?: (username: string, password: string) => unknown;
  readonly passwordChange?: (username: string, oldPassword: string, newPassword: string) => unknown;
  readonly publicKey?: (username: string, key: PKey, algorithm: string) => unknown;
  readonly keyboardInteractive?: (username: string, submethods: string, prompt: Prompt) => unknown;
  readonly succeeded?: (identity: Identity, method: string) => unknown;
  readonly failed?: (username: string, method: string) => unknown;
}

/** Notes what it is asked and lets the given hooks decide; without them it refuses everything. */
export class TestAuthenticator implements Authenticator {
  /** Name and arguments of each decision that was asked for. */
  readonly calls: unknown[][] = [];
  /** What `proven` was told. */
  readonly provenMethods: (readonly string[])[] = [];
  readonly succeededWith: [Identity, string][] = [];
  readonly failedWith: [string, string][] = [];
  readonly #permissions: Permissions;
  readonly #hooks: Hooks;

  constructor(hooks: Hooks = {}, permissions: Permissions = ALL_PERMISSIONS) {
    this.#hooks = hooks;
    this.#permissions = permissions;
  }

  permissions(username: string): Permissions {
    return this.#ask("permissions", this.#permissions, username);
  }

  allowedMethods(username: string): readonly string[] {
    return this.#ask("allowedMethods", ["publickey", "password", "keyboard-interactive"], username);
  }

  requiredMethods(username: string): MethodLists | undefined {
    return this.#ask("requiredMethods", undefined, username);
  }

  isRevoked(key: PKey, username: string): boolean {
    return this.#ask("isRevoked", false, key, username);
  }

  banner(username: string): string | undefined {
    return this.#ask("banner", undefined, username);
  }

  none(username: string): AuthResult {
    return this.#decide("none", username);
  }

  password(username: string, password: string): AuthResult {
    return this.#decide("password", username, password);
  }

  passwordChange(username: string, oldPassword: string, newPassword: string): AuthResult {
    return this.#decide("passwordChange", username, oldPassword, newPassword);
  }

  publicKey(username: string, key: PKey, algorithm: string): AuthResult {
    return this.#decide("publicKey", username, key, algorithm);
  }

  keyboardInteractive(username: string, submethods: string, prompt: Prompt): AuthResult {
    this.calls.push(["keyboardInteractive", username, submethods]);
    return this.#ask("keyboardInteractive", AUTH_FAILED, username, submethods, prompt);
  }

  refusalReason(): undefined {}

  proven(methods: readonly string[]): void {
    this.provenMethods.push(methods);
  }

  async succeeded(identity: Identity, method: string): Promise<void> {
    this.succeededWith.push([identity, method]);
    await this.#ask("succeeded", undefined, identity, method);
  }

  async failed(username: string, method: string): Promise<void> {
    this.failedWith.push([username, method]);
    await this.#ask("failed", undefined, username, method);
  }

  #decide(hook: keyof Hooks, ...parameters: unknown[]): AuthResult {
    this.calls.push([hook, ...parameters]);
    return this.#ask(hook, AUTH_FAILED, ...parameters);
  }

  /** What the hook returns, whatever it is: the type is what a hook should have. */
  #ask<T>(hook: keyof Hooks, otherwise: T, ...parameters: unknown[]): T {
    const call: unknown = this.#hooks[hook];
    return typeof call === "function" ? Reflect.apply(call, undefined, parameters) : otherwise;
  }
}
