import type { PKey } from "../crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../protocol/constants.js";
import { InvalidTextError, ProtocolError } from "../protocol/errors.js";
import {
  decodeUserauthRequest,
  encodeBanner,
  encodeUserauthFailure,
  type UserauthRequest,
} from "../protocol/messages/userauth.js";
import { type Attempt, attemptFrom, refused } from "./attempt.js";
import type { Authenticator, Identity, SecurityKeyProof } from "./authenticator.js";
import { delayFailure } from "./failure-delay.js";
import { KeyAnswers } from "./key-answers.js";
import { KeyboardInteractiveDialogue } from "./keyboard-interactive.js";
import { attemptPassword } from "./password.js";
import { intersectPermissions, type Permissions } from "./permissions.js";
import { attemptPublicKey, HOST_BOUND_METHOD, type SignatureBinding } from "./public-key.js";
import { RequiredMethods } from "./required-methods.js";

/** Requests of all kinds on one connection, queries and partial successes included. */
const MAX_REQUESTS = 100;

/** Longest user name, bytes of UTF-8. */
const MAX_USERNAME_LENGTH = 1024;

/** Floor on the time of a refused public key request, milliseconds: an agent may have to offer several. */
const PUBLIC_KEY_FAILURE_DELAY = 10;

const PUBLIC_KEY = "publickey";
const METHODS = [PUBLIC_KEY, "password", "keyboard-interactive"];

/** Until the required methods of a user are known, no proof is enough. */
const NOBODY = new RequiredMethods([]);

export interface AuthenticationOptions {
  /** Refused requests after which the connection ends. */
  readonly maxAuthTries: number;
  /** Floor on the time that a refused password or dialogue takes, milliseconds. */
  readonly failureDelay: number;
  /** Names by which users may ask to prove a key, those of certificates included. */
  readonly publicKeyAlgorithms: readonly string[];
  /** The algorithms with which authorities may have signed certificates of users. */
  readonly caSignatureAlgorithms: readonly string[];
}

/** For the log: nothing of it is for the client. */
export interface RefusedAttempt {
  readonly username: string;
  readonly method: string;
  readonly reason: string;
  /** The key that the client has asked about or signed with, where it could be read. */
  readonly offeredKey?: PKey;
}

/** The part of its connection that the authentication needs. */
export interface AuthenticationLink {
  readonly binding: SignatureBinding;
  /** The address of the client, if it is known. */
  readonly remoteAddress: string | undefined;
  send(payload: Buffer): void;
  /** Stops the handling of further messages until the returned function is called. */
  hold(): () => void;
  /** Lets the client in: sends SUCCESS. */
  authenticated(identity: Identity): void;
  refused(refusal: RefusedAttempt): void;
  hookFailed(hook: string, error: unknown): void;
  failed(error: unknown): void;
}

/**
 * The user authentication protocol (RFC 4252): requests in, one frozen identity out. Requests are handled one at a
 * time, in their order; while one is pending, no other message of the connection is.
 */
export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #authenticator: Authenticator;
  readonly #link: AuthenticationLink;
  #pending: Promise<void> = Promise.resolve();
  #release: () => void = () => {};
  #dialogue: KeyboardInteractiveDialogue | undefined;
  #username: string | undefined;
  #methods: string[] = [];
  #publicKeys: PKey[] = [];
  #securityKeys: SecurityKeyProof[] = [];
  /** `undefined` until the first factor is proven. */
  #permissions: Permissions | undefined;
  /** Of the last factor that had some. */
  #data: unknown;
  #keyAnswers: KeyAnswers;
  #required: RequiredMethods | undefined;
  /** The time of the client's last message, as `performance.now()` tells it: from then on a failure is delayed. */
  #askedAt = 0;
  /** Answers on their way to questions that no hook waits for any more. */
  #lateResponses = 0;
  #requests = 0;
  #failures = 0;
  #done = false;
  #ended = false;
  /** Ends the delay of a failure. Made for the first one: most connections have none. */
  #delayEnd: AbortController | undefined;

  constructor(options: AuthenticationOptions, authenticator: Authenticator, link: AuthenticationLink) {
    this.#options = options;
    this.#authenticator = authenticator;
    this.#link = link;
    this.#keyAnswers = this.#noKeyAnswers();
  }

  /**
   * Takes USERAUTH_REQUEST or USERAUTH_INFO_RESPONSE.
   *
   * @throws {ProtocolError} for messages that end the connection
   */
  receive(payload: Buffer): void {
    if (payload[0] === MessageNumber.USERAUTH_INFO_RESPONSE) {
      this.#receiveInfoResponse(payload);
      return;
    }
    const request = requestWithUsername(payload);
    this.#dialogue?.abandon();
    this.#enqueue(() => this.#handle(request));
  }

  #receiveInfoResponse(payload: Buffer): void {
    const dialogue = this.#dialogue;
    if (!dialogue?.waiting) {
      if (this.#lateResponses > 0) this.#lateResponses--;
      else
        this.#enqueue(() =>
          this.#refuse(
            this.#username ?? "",
            "keyboard-interactive",
            refused("the client answers a question that was not asked"),
          ),
        );
      return;
    }
    this.#askedAt = performance.now();
    this.#release = this.#link.hold();
    dialogue.receiveResponse(payload);
  }

  #noKeyAnswers(): KeyAnswers {
    return new KeyAnswers(this.#options.maxAuthTries);
  }

  /** Resolves when no hook is pending. */
  get settled(): Promise<void> {
    return this.#pending;
  }

  /** The connection has ended: nothing is answered any more, and nobody waits. */
  end(): void {
    this.#ended = true;
    this.#dialogue?.abandon();
    this.#delayEnd?.abort();
  }

  #enqueue(step: () => Promise<void>): void {
    const release = this.#link.hold();
    this.#pending = this.#pending.then(async () => {
      this.#release = release;
      try {
        if (!this.#done && !this.#ended) await step();
      } catch (error) {
        if (!this.#ended) this.#link.failed(error);
      } finally {
        this.#release();
      }
    });
  }

  /** @param request `undefined` where the user name is not UTF-8 */
  async #handle(request: UserauthRequest | undefined): Promise<void> {
    this.#askedAt = performance.now();
    if (request !== undefined) checkAddressee(request);
    if (++this.#requests > MAX_REQUESTS) {
      throw new ProtocolError("too many authentication requests", DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE);
    }
    if (this.#requests === 1) await this.#sendBanner(request?.username ?? "");
    if (this.#ended) return;
    if (request === undefined) {
      // It does not count as an attempt of the user who was named before: too many would lock that user out.
      await this.#refuse("", "", refused("the user name is not UTF-8"));
      return;
    }
    const { username, method } = request;
    if (username !== this.#username) await this.#begin(username);
    if (this.#ended) return;
    const attempt = await this.#attempt(request);
    if (this.#ended) return;
    switch (attempt.kind) {
      case "continue":
        this.#link.send(attempt.reply);
        return;
      case "proven":
        await this.#accept(username, methodName(method), attempt);
        return;
      case "refused":
        await this.#refuse(username, method, attempt);
    }
  }

  /** Starts from nothing: the proofs of another user do not count for this one. */
  async #begin(username: string): Promise<void> {
    this.#username = username;
    this.#methods = [];
    this.#publicKeys = [];
    this.#securityKeys = [];
    this.#permissions = undefined;
    this.#data = undefined;
    this.#keyAnswers = this.#noKeyAnswers();
    this.#required = NOBODY;
    this.#authenticator.proven([]);
    try {
      const lists = await this.#authenticator.requiredMethods(username);
      this.#required = lists === undefined ? undefined : new RequiredMethods(lists);
    } catch (error) {
      this.#link.hookFailed("getRequiredAuths", error);
    }
  }

  async #sendBanner(username: string): Promise<void> {
    try {
      const banner = await this.#authenticator.banner(username);
      if (banner) this.#link.send(encodeBanner(banner));
    } catch (error) {
      this.#link.hookFailed("getBanner", error);
    }
  }

  async #attempt(request: UserauthRequest): Promise<Attempt> {
    const method = methodName(request.method);
    try {
      if (method === "none") return await this.#attemptNone(request.username);
      if (!METHODS.includes(method)) return refused("the method is not implemented");
      if (!(await this.#allowedMethods(request.username)).includes(method)) {
        return refused("the method is not allowed");
      }
      if (this.#ended) return { kind: "abandoned" };
      switch (method) {
        case "password":
          return await attemptPassword(request, this.#authenticator);
        case PUBLIC_KEY:
          return await this.#attemptPublicKey(request);
        default:
          return await this.#converse(request);
      }
    } catch (error) {
      if (error instanceof InvalidTextError) return refused("a text is not UTF-8");
      if (error instanceof ProtocolError) throw error;
      this.#link.hookFailed(`the hook of ${method}`, error);
      return refused("a hook has failed");
    }
  }

  #attemptPublicKey(request: UserauthRequest): Promise<Attempt> {
    const { publicKeyAlgorithms, caSignatureAlgorithms } = this.#options;
    const { binding, remoteAddress } = this.#link;
    const context = {
      binding,
      remoteAddress,
      publicKeyAlgorithms,
      caSignatureAlgorithms,
      provenKeys: this.#publicKeys,
      answers: this.#keyAnswers,
    };
    return attemptPublicKey(request, context, this.#authenticator);
  }

  async #attemptNone(username: string): Promise<Attempt> {
    if (this.#required?.next?.includes("none") === false) return refused("proof is required");
    return attemptFrom(await this.#authenticator.none(username));
  }

  async #converse(request: UserauthRequest): Promise<Attempt> {
    this.#dialogue = new KeyboardInteractiveDialogue((payload) => {
      this.#link.send(payload);
      this.#release();
    });
    try {
      return await this.#dialogue.attempt(request, this.#authenticator);
    } finally {
      if (this.#dialogue?.unanswered) this.#lateResponses++;
      this.#dialogue = undefined;
    }
  }

  /**
   * The methods that the server allows and that are required next, or without such a rule those that were not proven
   * yet, unless none would be left.
   */
  async #allowedMethods(username: string): Promise<string[]> {
    let allowed: string[] = [];
    try {
      allowed = (await this.#authenticator.allowedMethods(username)).filter((method) => METHODS.includes(method));
    } catch (error) {
      this.#link.hookFailed("getAllowedAuths", error);
    }
    const next = this.#required?.next;
    if (next !== undefined) return allowed.filter((method) => next.includes(method));
    const open = allowed.filter((method) => !this.#methods.includes(method));
    return open.length > 0 ? open : allowed;
  }

  async #accept(
    username: string,
    method: string,
    { completeness, permissions, data, publicKey, securityKey }: Extract<Attempt, { kind: "proven" }>,
  ): Promise<void> {
    const permitted = this.#permissions ?? (await this.#authenticator.permissions(username));
    const intersection = intersectPermissions(permitted, permissions);
    if (intersection === undefined) {
      await this.#refuse(username, method, refused("two factors force different commands", publicKey));
      return;
    }
    this.#permissions = intersection;
    if (data !== undefined) this.#data = data;
    this.#methods.push(method);
    this.#keyAnswers = this.#noKeyAnswers();
    if (publicKey !== undefined) this.#publicKeys.push(publicKey);
    if (securityKey !== undefined) this.#securityKeys.push(securityKey);
    this.#authenticator.proven([...this.#methods]);
    const proven = this.#required?.prove(method) ?? true;
    if (completeness === "partial" || !proven) {
      this.#link.send(encodeUserauthFailure(await this.#methodsOrEnd(username), true));
      return;
    }
    const identity = Object.freeze({
      username,
      methods: Object.freeze([...this.#methods]),
      publicKeys: Object.freeze([...this.#publicKeys]),
      securityKeys: Object.freeze([...this.#securityKeys]),
      permissions: intersection,
      data: this.#data,
    });
    await this.#authenticator.succeeded(identity, method);
    if (this.#ended) return;
    this.#done = true;
    this.#link.authenticated(identity);
  }

  async #refuse(
    username: string,
    method: string,
    { reason, offeredKey }: Extract<Attempt, { kind: "refused" }>,
  ): Promise<void> {
    // The first `none` only asks which methods there are (RFC 4252 §5.2).
    if (method !== "none" || this.#requests > 1) {
      this.#failures++;
      this.#link.refused({ username, method, reason, ...(offeredKey && { offeredKey }) });
      await this.#authenticator.failed(username, method);
      const floor = methodName(method) === PUBLIC_KEY ? PUBLIC_KEY_FAILURE_DELAY : this.#options.failureDelay;
      await this.#delay(Math.min(floor, this.#options.failureDelay));
      if (this.#ended) return;
    }
    if (this.#failures >= this.#options.maxAuthTries) {
      throw new ProtocolError("too many authentication failures", DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE);
    }
    this.#link.send(encodeUserauthFailure(await this.#methodsOrEnd(username), false));
  }

  /** @param floor on the time that the failure takes, milliseconds */
  async #delay(floor: number): Promise<void> {
    if (this.#ended) return;
    this.#delayEnd ??= new AbortController();
    await delayFailure(this.#askedAt, floor, this.#delayEnd.signal);
  }

  /** The methods for USERAUTH_FAILURE. Clients cannot cope with an empty list. */
  async #methodsOrEnd(username: string): Promise<string[]> {
    const methods = await this.#allowedMethods(username);
    if (methods.length > 0) return methods;
    throw new ProtocolError("no authentication methods are available", DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE);
  }
}

/** The request, or `undefined` where its user name is not UTF-8: nobody has such a name. */
function requestWithUsername(payload: Buffer): UserauthRequest | undefined {
  try {
    return decodeUserauthRequest(payload);
  } catch (error) {
    if (error instanceof InvalidTextError) return undefined;
    throw error;
  }
}

/** @throws {ProtocolError} when the request is for another service, or its user name is too long */
function checkAddressee({ service, username }: UserauthRequest): void {
  if (service !== "ssh-connection") {
    throw new ProtocolError("the service is not available", DisconnectReason.SERVICE_NOT_AVAILABLE);
  }
  if (Buffer.byteLength(username) > MAX_USERNAME_LENGTH) {
    throw new ProtocolError("the user name is too long", DisconnectReason.ILLEGAL_USER_NAME);
  }
}

/** The host-bound method is allowed and counted as `publickey`. */
function methodName(method: string): string {
  return method === HOST_BOUND_METHOD ? PUBLIC_KEY : method;
}
