import type { PasswordChangeRequired, Prompt } from "../auth/authenticator.js";
import type { AuthDecision } from "../auth/grant.js";
import type { MethodLists } from "../auth/required-methods.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkOptions, kindOf } from "../base/option-checks.js";
import type { OpenRefusal } from "../connection/open-refusal.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { ForwardingDecision } from "../forwarding/decision.js";
import type { OpenFields } from "../forwarding/open-fields.js";
import { checkForwardingOptions, type ForwardingOptions } from "../forwarding/options.js";
import type { LocalTarget } from "../forwarding/target.js";
import {
  AUTH_FAILED,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../protocol/constants.js";
import type { AnyChannel, Connection } from "../session/connection.js";
import type { ProgramDecision, SessionChannel } from "../session/session-channel.js";
import {
  type AuthenticationOptions,
  type CheckedAuthenticationOptions,
  checkAuthenticationOptions,
} from "./authentication-options.js";
import { SessionDeclaration } from "./session-declaration.js";
import type { SessionOptions } from "./session-options.js";

/** Declarations, each in place of hooks. */
export interface SSHServerOptions<Data = unknown> extends SessionOptions<Data> {
  /** A declaration of the login in place of hooks. */
  readonly authentication?: AuthenticationOptions<Data>;
  /** A declaration of what is forwarded, in place of hooks. */
  readonly forwarding?: ForwardingOptions<Data>;
}

/** The options of an SSHServer. */
export const SSH_SERVER_OPTIONS = ["authentication", "forwarding", "session", "sftp", "middleware"] as const;

/** The declaration of what clients may run. Hooks hold the server, so only the library gets this. */
export let sessionsOf: (server: SSHServer) => SessionDeclaration;

/**
 * The hooks that decide what a server does: extend it and override what you allow. Every hook may be asynchronous. One
 * object serves all clients; the state of one client hangs on its `connection` or `channel`.
 *
 * Everything is refused by default. A hook that throws, or returns anything but the exact value that allows, refuses.
 */
export class SSHServer {
  static {
    sessionsOf = (server) => server.#sessions;
  }

  /** The declaration of the login; hooks that are overridden count in its place. */
  readonly authentication: CheckedAuthenticationOptions;
  /** The declaration of what is forwarded; hooks that are overridden count in its place. */
  readonly forwarding: ForwardingOptions;

  readonly #sessions: SessionDeclaration;

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(options: SSHServerOptions = {}) {
    const { session, sftp, middleware } = checkOptions(options, SSH_SERVER_OPTIONS);
    this.authentication = checkAuthenticationOptions(options.authentication ?? {});
    this.forwarding = checkForwardingOptions(options.forwarding ?? {});
    this.#sessions = new SessionDeclaration({
      ...(session !== undefined && { session }),
      ...(sftp !== undefined && { sftp }),
      ...(middleware !== undefined && { middleware }),
    });
  }

  /** Asked when a client tries to get in without proof (RFC 4252 §5.2). */
  checkAuthNone(username: string, connection: Connection): MaybePromise<AuthDecision> {
    const { none } = this.authentication;
    return none === undefined ? AUTH_FAILED : none(username, connection);
  }

  /**
   * Decides about a login by password (RFC 4252 §8).
   *
   * @returns `{ passwordChangeRequired: text }` to ask for a new password; the answer reaches `checkAuthPasswordChange`
   */
  checkAuthPassword(
    username: string,
    password: string,
    connection: Connection,
  ): MaybePromise<AuthDecision | PasswordChangeRequired> {
    const { password: check } = this.authentication;
    return check === undefined ? AUTH_FAILED : check(username, password, connection);
  }

  /**
   * Asked to replace an expired password (RFC 4252 §8); success logs the user in.
   *
   * @returns `{ passwordChangeRequired: text }` where the new password is not good enough
   */
  checkAuthPasswordChange(
    username: string,
    oldPassword: string,
    newPassword: string,
    connection: Connection,
  ): MaybePromise<AuthDecision | PasswordChangeRequired> {
    return AUTH_FAILED;
  }

  /**
   * Asked whether `key` may log `username` in, when the client offers it or signs with it. The library verifies the
   * signature. The answer counts for five seconds, as long as the user and the proven methods are the same: a client
   * that signs later makes the library ask again. Only answer the question; act in `onAuthenticationSuccessful`, where
   * `connection.identity` has the keys that were proven. A certificate (`key.certificate`) takes a Grant that names its
   * authority.
   *
   * @param algorithm which the client wants to sign with, as it names it: `rsa-sha2-512`, or of a certificate
   * `rsa-sha2-512-cert-v01@openssh.com`
   */
  checkAuthPublickey(
    username: string,
    key: PKey,
    connection: Connection,
    algorithm: string,
  ): MaybePromise<AuthDecision> {
    const { publicKey } = this.authentication;
    return publicKey === undefined ? AUTH_FAILED : publicKey(username, key, connection, algorithm);
  }

  /**
   * Leads a dialogue (RFC 4256): `await prompt({ prompts: [{ prompt: "Code: ", echo: true }] })` gives the answers, as
   * often as needed; then return the result.
   *
   * @param submethods the kinds of questions that the client would like, usually empty
   */
  checkAuthKeyboardInteractive(
    username: string,
    submethods: string,
    prompt: Prompt,
    connection: Connection,
  ): MaybePromise<AuthDecision> {
    const { keyboardInteractive } = this.authentication;
    return keyboardInteractive === undefined
      ? AUTH_FAILED
      : keyboardInteractive(username, submethods, prompt, connection);
  }

  /**
   * Asked about each key before `checkAuthPublickey` is, and about each certificate; anything but `false` refuses it.
   * The answer counts for five seconds. `revokedKeys` makes such a hook of a list or a KRL.
   */
  checkKeyRevoked(key: PKey, connection: Connection, username: string): MaybePromise<boolean> {
    const { revokedKeys } = this.authentication;
    return revokedKeys === undefined ? false : revokedKeys(key, connection, username);
  }

  /**
   * The methods that `username` may use: `publickey`, `password`, `keyboard-interactive`. Others are refused without
   * asking their hooks. Methods that returned AUTH_PARTIAL (see `connection.provenMethods`) are taken off by the
   * library. By default, the methods that are declared or whose hooks are overridden.
   */
  getAllowedAuths(username: string, connection: Connection): MaybePromise<readonly string[]> {
    const { publicKey, password, keyboardInteractive } = this.authentication;
    const methods: [string, boolean][] = [
      ["publickey", publicKey !== undefined || overrides(this, "checkAuthPublickey")],
      ["password", password !== undefined || overrides(this, "checkAuthPassword")],
      ["keyboard-interactive", keyboardInteractive !== undefined || overrides(this, "checkAuthKeyboardInteractive")],
    ];
    return methods.filter(([, there]) => there).map(([method]) => method);
  }

  /**
   * The methods that `username` has to prove together: lists. One of them has to be proven whole and in its order
   * (AuthenticationMethods in sshd_config(5)). `requireMethods` makes such a hook. `undefined`, the default: each hook
   * tells by AUTH_SUCCESSFUL or AUTH_PARTIAL whether more is needed.
   */
  getRequiredAuths(username: string, connection: Connection): MaybePromise<MethodLists | undefined> {
    return this.authentication.methods?.(username, connection);
  }

  /**
   * Text that clients show before they authenticate (RFC 4252 §5.4).
   *
   * @param username of the client's first request, which proves nothing; empty where it was not UTF-8
   */
  getBanner(connection: Connection, username: string): MaybePromise<string | undefined> {
    return undefined;
  }

  /**
   * Asked first for every channel a client wants to open. By default sessions, on which nothing runs until a request hook
   * allows it, and what `checkLocalForwardRequest` decides about.
   *
   * @param kind channel type: `session`, `direct-tcpip`, …
   * @param chanid number the channel will have
   * @param open the target that the client wants to be connected to, for `direct-tcpip` and
   *   `direct-streamlocal@openssh.com`; for other types the bytes of their fields
   * @returns 0 (OPEN_SUCCEEDED) or a reason for SSH_MSG_CHANNEL_OPEN_FAILURE, 1 to 4 (RFC 4254 §5.1), alone or with a text
   */
  checkChannelRequest(
    kind: string,
    chanid: number,
    connection: Connection,
    open: OpenFields,
  ): MaybePromise<number | OpenRefusal> {
    if (kind === "session") return OPEN_SUCCEEDED;
    if (isLocalForwarding(kind) && decidesLocalForwarding(this)) return OPEN_SUCCEEDED;
    return kind === "direct-tcpip" ? OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  /**
   * Asked to connect a client to a target (`ssh -L`, `-D`, `-W`, `-J`), once `checkChannelRequest` has allowed the channel.
   * Where this hook is not overridden and `forwarding.local` is not declared, the channel comes to `onChannelOpened` as it
   * is.
   *
   * @returns `true` to let the library connect, a stream that the channel is joined to, `false`, or a reason with a text
   */
  checkLocalForwardRequest(target: LocalTarget): MaybePromise<ForwardingDecision> {
    return this.forwarding.local === undefined ? false : this.forwarding.local(target);
  }

  /**
   * Asked to run a command, and the place to run it: a hook that writes to its channel or reads from it has begun the
   * program, and the client has its reply then. It may wait for its program, or return `true` and leave it running. `end()`,
   * `pipe()` and `pipeline()` end the program: see `Channel`. One that has begun and then answers `false`, or throws, ends
   * with status 1.
   */
  checkChannelExecRequest(channel: SessionChannel, command: Buffer): MaybePromise<ProgramDecision> {
    return this.#sessions.exec(channel, command);
  }

  /** The same for the user's shell, or whatever the server has in its place. */
  checkChannelShellRequest(channel: SessionChannel): MaybePromise<ProgramDecision> {
    return this.#sessions.shell(channel);
  }

  /** The same for a subsystem such as `sftp`. */
  checkChannelSubsystemRequest(channel: SessionChannel, name: string): MaybePromise<ProgramDecision> {
    return this.#sessions.subsystem(channel, name);
  }

  /**
   * Asked for a terminal; when allowed, it is `channel.pty`.
   *
   * @param term value of TERM, in the bytes that the client has sent
   * @param width characters, `height` likewise; `pixelwidth` and `pixelheight` may be 0
   * @param modes mnemonics of RFC 4254 §8 with their values
   */
  checkChannelPtyRequest(
    channel: SessionChannel,
    term: Buffer,
    width: number,
    height: number,
    pixelwidth: number,
    pixelheight: number,
    modes: ReadonlyMap<string, number>,
  ): MaybePromise<boolean> {
    return this.#sessions.allowsTerminal();
  }

  /** Asked when the client's terminal has another size; by default allowed where a terminal was. */
  checkChannelWindowChangeRequest(
    channel: SessionChannel,
    width: number,
    height: number,
    pixelwidth: number,
    pixelheight: number,
  ): MaybePromise<boolean> {
    return true;
  }

  /**
   * Asked for each variable the client wants to set; when allowed, it is in `channel.environment`.
   *
   * @param value in the bytes that the client has sent, which need not be text
   */
  checkChannelEnvRequest(channel: SessionChannel, name: string, value: Buffer): MaybePromise<boolean> {
    return this.#sessions.allowsVariable(name);
  }

  /**
   * Asked to let programs of the session use the client's agent (`ssh -A`, OpenSSH PROTOCOL.agent); when allowed, it is
   * `channel.agent`.
   */
  checkChannelForwardAgentRequest(channel: SessionChannel): MaybePromise<boolean> {
    return declared(this.forwarding.agent, channel);
  }

  /**
   * Asked to let programs of the session show windows on the client's display (`ssh -X`, RFC 4254 §6.3); when allowed, it
   * is `channel.x11`.
   */
  checkChannelX11Request(
    channel: SessionChannel,
    singleConnection: boolean,
    authProtocol: string,
    authCookie: Buffer,
    screenNumber: number,
  ): MaybePromise<boolean> {
    return declared(this.forwarding.x11, channel);
  }

  /**
   * Asked for channel requests the library does not know (RFC 4254 §5.4), on channels of any type.
   *
   * @param payload the request's fields, behind its name and `want reply`
   */
  checkUnknownChannelRequest(channel: AnyChannel, kind: string, payload: Buffer): MaybePromise<boolean> {
    return false;
  }

  /**
   * Asked to listen for the client on a TCP port (`ssh -R`, RFC 4254 §7.1).
   *
   * @param address as the client names it; empty for all addresses
   * @param port 0 when the server may choose
   * @returns `true` to let the library listen; the port, also where the client has chosen it, where the hook listens itself
   *   and opens a channel of the type `forwarded-tcpip` for each connection that comes, with `connection.openChannel`; or
   *   `false`
   */
  checkPortForwardRequest(address: string, port: number, connection: Connection): MaybePromise<number | boolean> {
    return declared(this.forwarding.remote, { address, port, user: connection.username ?? "", connection });
  }

  /**
   * Asked to stop listening where `checkPortForwardRequest` has listened itself (RFC 4254 §7.1). A client that is gone does
   * not ask: `connection.signal` tells.
   */
  checkPortForwardCancelRequest(address: string, port: number, connection: Connection): MaybePromise<boolean> {
    return false;
  }

  /**
   * Asked to listen for the client on a socket of the file system (`ssh -R`, OpenSSH PROTOCOL §2.4); `true` lets the library
   * listen. Where this hook is not overridden and `forwarding.remote` is not declared, `checkGlobalRequest` is asked.
   */
  checkSocketForwardRequest(path: string, connection: Connection): MaybePromise<boolean> {
    return declared(this.forwarding.remote, { path, user: connection.username ?? "", connection });
  }

  /**
   * Asked for global requests the library does not know (RFC 4254 §4).
   *
   * @returns `true`, or the bytes of a successful reply
   */
  checkGlobalRequest(kind: string, payload: Buffer, connection: Connection): MaybePromise<boolean | Uint8Array> {
    return false;
  }

  /** A channel was opened. */
  onChannelOpened(channel: AnyChannel): MaybePromise<void> {}

  /** A channel was closed by either side, or its connection has ended. */
  onChannelClosed(channel: AnyChannel): MaybePromise<void> {}

  /** All that was asked was proven. The client is let in once this is done; a throw refuses it. */
  onAuthenticationSuccessful(username: string, method: string, connection: Connection): MaybePromise<void> {}

  /** An attempt was refused. Both names are empty where that of the user was not UTF-8. */
  onAuthenticationFailed(username: string, method: string, connection: Connection): MaybePromise<void> {}
}

/** Whether a channel of this kind leads to a target that the client names. */
function isLocalForwarding(kind: string): boolean {
  return kind === "direct-tcpip" || kind === "direct-streamlocal@openssh.com";
}

/** Whether a server decides about targets, by its declaration or by a hook of its own. */
export function decidesLocalForwarding(server: SSHServer): boolean {
  return server.forwarding.local !== undefined || overrides(server, "checkLocalForwardRequest");
}

/** Likewise about sockets that it is to listen on. */
export function decidesSocketForwarding(server: SSHServer): boolean {
  return server.forwarding.remote !== undefined || overrides(server, "checkSocketForwardRequest");
}

/** A hook that allows something. */
export type DecidingHook = Extract<keyof SSHServer, `check${string}`>;

/** Whether anybody can log in: by a declaration, or by a hook of the server's own. */
export function letsAnybodyIn(server: SSHServer): boolean {
  const { none, publicKey, password, keyboardInteractive } = server.authentication;
  return (
    [none, publicKey, password, keyboardInteractive].some((declared) => declared !== undefined) ||
    AUTHENTICATION_HOOKS.some((hook) => overrides(server, hook))
  );
}

const AUTHENTICATION_HOOKS = [
  "checkAuthNone",
  "checkAuthPassword",
  "checkAuthPublickey",
  "checkAuthKeyboardInteractive",
] as const;

/** Whether a subclass, or the object itself, has a hook of its own. */
export function overrides(server: SSHServer, hook: DecidingHook): boolean {
  return server[hook] !== SSHServer.prototype[hook];
}

/**
 * Asks a declared decision, which answers `true` or `false`.
 *
 * @throws {TypeError} for any other answer
 */
function declared<Asked>(
  decision: boolean | ((asked: Asked) => MaybePromise<boolean>) | undefined,
  asked: Asked,
): MaybePromise<boolean> {
  if (typeof decision !== "function") return decision ?? false;
  const answer = decision(asked);
  const check = (value: boolean) => {
    if (typeof value === "boolean") return value;
    throw new TypeError(`a decision is true or false, and this one is ${kindOf(value)}`);
  };
  return answer instanceof Promise ? answer.then(check) : check(answer);
}
