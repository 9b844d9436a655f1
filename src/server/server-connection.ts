import type { Duplex } from "node:stream";
import { Authentication } from "../auth/authentication.js";
import type { Identity } from "../auth/authenticator.js";
import { type Permissions, RESTRICTED_PERMISSIONS } from "../auth/permissions.js";
import type { SignatureBinding } from "../auth/public-key.js";
import { setLoggerOf } from "../base/connection-logger.js";
import { setRefusalsOf } from "../base/connection-refusals.js";
import { noteEndReason } from "../base/end-reasons.js";
import { callHook } from "../base/hook-error.js";
import type { LogLevel } from "../base/log-level.js";
import { loggedBytes, loggedError } from "../base/logged-text.js";
import { isThenable, type MaybePromise } from "../base/maybe-promise.js";
import { workerNumber } from "../base/worker-number.js";
import { Multiplexer } from "../connection/multiplexer.js";
import type { AnswerOptions, RequestOptions } from "../connection/outgoing-request.js";
import { mayBeIgnored } from "../connection/pending-answer.js";
import type { ConnectionEnd } from "../endpoint/connection-end.js";
import { Endpoint } from "../endpoint/endpoint.js";
import type { ForwardingLog } from "../forwarding/forwarding-log.js";
import type { LocalTarget } from "../forwarding/target.js";
import { DisconnectReason, MessageNumber } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { encodeGlobalRequest } from "../protocol/messages/requests.js";
import { decodeServiceRequest, encodeServiceAccept } from "../protocol/messages/service.js";
import { encodeUserauthSuccess } from "../protocol/messages/userauth.js";
import type { AnyChannel, Connection } from "../session/connection.js";
import { SessionPlaces } from "../session/session-places.js";
import { type NegotiatedNames, namesOf } from "../transport/negotiation.js";
import { Misbehaviour } from "./admission/misbehaviour.js";
import type { PenaltyCause } from "./admission/penalties.js";
import { bindAuthenticator } from "./authentication-hooks.js";
import { bindChannelAuthority } from "./channel-hooks.js";
import { ClientLink } from "./client-link.js";
import { takeConnectionId } from "./connection-ids.js";
import { ConnectionLog } from "./connection-log.js";
import { ConnectionNotes } from "./connection-notes.js";
import { encodeHostKeys, HOST_KEYS, takesHostKeys } from "./host-keys/host-key-announcement.js";
import { HostKeyProof } from "./host-keys/host-key-proof.js";
import { endRecord, loginRecord, refusalRecord, streamErrorRecord } from "./log-records.js";
import { noteEnd } from "./note-end.js";
import { RefusedRequests } from "./refused-requests.js";
import { SessionClocks } from "./session-limits.js";
import type { ServerSettings } from "./settings.js";
import type { StreamInfo } from "./stream-info.js";

/** Milliseconds that host keys may take to prove themselves. */
const PROOF_TIME = 10_000;

/** An object that is told what becomes of a connection. */
export interface ConnectionObserver {
  /** Somebody has proven who they are. Returns the objection to letting them in, a text for the client, if any. */
  loggingIn(connection: ServerConnection, identity: Identity): MaybePromise<string | undefined>;
  authenticated(connection: ServerConnection): void;
  /** The client has misbehaved and is gone without a login. */
  misbehaved(connection: ServerConnection, cause: PenaltyCause): void;
  /** The stream is closed, and nothing of the connection is left. */
  closed(connection: ServerConnection, end: ConnectionEnd): void;
}

/** Begins to serve. To be called once, first. Hooks hold the connection, so only the library gets this. */
export let startServing: (connection: ServerConnection) => void;

/** Resolves when no authentication hook of a connection is pending; `undefined` where none can be. */
export let hooksSettled: (connection: ServerConnection) => Promise<void> | undefined;

/** One client's connection: brings an endpoint, the authentication and the channels together. */
export class ServerConnection implements Connection {
  static {
    startServing = (connection) => connection.#start();
    hooksSettled = (connection) => connection.#authentication?.settled;
  }

  readonly id: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly connectedAt = new Date();
  readonly #settings: ServerSettings;
  readonly #logger: ConnectionLog;
  readonly #endpoint: Endpoint;
  readonly #observer: ConnectionObserver;
  readonly #notes: ConnectionNotes;
  #authentication: Authentication | undefined;
  /** `undefined` until it is needed. */
  #multiplexer: Multiplexer<AnyChannel> | undefined;
  #hostKeyProof: HostKeyProof | undefined;
  #identity: Identity | undefined;
  #provenMethods: readonly string[] = [];
  /** From the login on. */
  #clocks: SessionClocks | undefined;
  readonly #misbehaviour: Misbehaviour;
  /** The first key exchange is over. */
  #handshaken = false;
  /** Lets somebody in once the key exchange under way is over. */
  #lettingIn: (() => void) | undefined;
  /** A hook has refused somebody who had proven everything. */
  #identityRefused = false;

  constructor(
    stream: Duplex,
    info: StreamInfo,
    settings: ServerSettings,
    observer: ConnectionObserver,
    id = takeConnectionId(),
  ) {
    this.id = id;
    this.remoteAddress = info.remoteAddress;
    this.remotePort = info.remotePort;
    this.localAddress = info.localAddress;
    this.localPort = info.localPort;
    this.#settings = settings;
    this.#observer = observer;
    this.#logger = new ConnectionLog(settings.logger, this);
    this.#notes = new ConnectionNotes(this.#logger, settings.warnings);
    setLoggerOf(this, this.#logger);
    setRefusalsOf(this, this.#notes);
    this.#misbehaviour = new Misbehaviour(settings.admission.perSourcePenalties?.times, (cause) =>
      observer.misbehaved(this, cause),
    );
    this.#endpoint = new Endpoint(stream, settings.transport, {
      message: (payload) => this.#receive(payload),
      keysExchanged: () => this.#keysExchanged(),
      writable: () => this.#multiplexer?.resume(),
      ended: (end) => this.#ended(end),
      closed: (end) => observer.closed(this, end),
    });
  }

  get worker(): number | undefined {
    return workerNumber();
  }

  get clientVersion(): string {
    return this.#endpoint.transport.peerIdentification;
  }

  get algorithms(): NegotiatedNames | undefined {
    const { negotiated } = this.#endpoint.transport;
    return negotiated && namesOf(negotiated);
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  get username(): string | undefined {
    return this.#identity?.username;
  }

  get permissions(): Permissions {
    return this.#identity?.permissions ?? RESTRICTED_PERMISSIONS;
  }

  get provenMethods(): readonly string[] {
    return this.#provenMethods;
  }

  get bytesReceived(): number {
    return this.#endpoint.bytesReceived;
  }

  get bytesSent(): number {
    return this.#endpoint.bytesSent;
  }

  get channelCount(): number {
    return this.#multiplexer?.channelCount ?? 0;
  }

  get signal(): AbortSignal {
    return this.#endpoint.signal;
  }

  openChannel(kind: string, fields?: Uint8Array, options?: AnswerOptions): Promise<AnyChannel> {
    return this.#channels?.openChannel(kind, fields, options) ?? beforeLogin();
  }

  sendGlobalRequest(kind: string, fields?: Uint8Array, options?: RequestOptions): Promise<Buffer | false> {
    return this.#channels?.sendGlobalRequest(kind, fields, options) ?? beforeLogin();
  }

  /** @param closingTime milliseconds that the client gets to take the last bytes */
  disconnect(
    reason: DisconnectReason = DisconnectReason.BY_APPLICATION,
    message = "closed by the server",
    closingTime?: number,
  ): void {
    this.#endpoint.disconnect(reason, message, closingTime === undefined ? {} : { closingTime });
  }

  rekey(): void {
    this.#endpoint.transport.rekey();
  }

  refuse(): void {
    if (this.#endpoint.ended) return;
    this.#misbehaviour.penalise("refuseConnection");
    this.#endpoint.disconnect(DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT, "the connection was refused", {
      cause: "the server has refused the connection",
    });
  }

  reportInvalidUser(): void {
    this.#misbehaviour.note("invalidUser");
  }

  #start(): void {
    this.#log("debug", "a client has connected");
    this.#endpoint.setDeadline(this.#settings.connectionTimeout, "the handshake took too long");
    this.#endpoint.start();
  }

  #receive(payload: Buffer): void {
    const [number] = payload;
    if (number === MessageNumber.CHANNEL_DATA || number === MessageNumber.CHANNEL_EXTENDED_DATA) this.#clocks?.touch();
    if (number === MessageNumber.SERVICE_REQUEST) this.#receiveServiceRequest(payload);
    else if (this.#clocks !== undefined) this.#channels?.receive(payload);
    else this.#authentication?.receive(payload);
  }

  #receiveServiceRequest(payload: Buffer): void {
    const service = decodeServiceRequest(payload);
    const { sessionId, hostKeyBlob } = this.#endpoint.transport;
    if (service !== "ssh-userauth" || sessionId === undefined || hostKeyBlob === undefined) {
      throw new ProtocolError("the service is not available", DisconnectReason.SERVICE_NOT_AVAILABLE);
    }
    // A client that asks again goes on with the authentication that it has begun, and with its counts.
    this.#authentication ??= this.#createAuthentication({ sessionId, hostKeyBlob });
    this.#endpoint.transport.enter("authentication");
    this.#endpoint.transport.send(encodeServiceAccept(service));
  }

  #createAuthentication(binding: SignatureBinding): Authentication {
    const { server, algorithms, maxAuthTries, authFailureDelay } = this.#settings;
    return new Authentication(
      {
        maxAuthTries,
        failureDelay: authFailureDelay,
        publicKeyAlgorithms: algorithms.publicKey,
        caSignatureAlgorithms: algorithms.caSignature,
      },
      bindAuthenticator(
        server,
        this,
        {
          proven: (methods) => {
            this.#provenMethods = methods;
          },
          identified: (identity) => {
            // A hook may refuse a user in the end: nothing has failed.
            if (identity === undefined) this.#identityRefused = true;
            this.#identity = identity;
          },
        },
        this.#notes.hookFailed,
      ),
      {
        binding,
        remoteAddress: this.remoteAddress,
        send: (message) => this.#endpoint.transport.send(message),
        hold: () => this.#endpoint.transport.hold(),
        authenticated: (identity) => this.#authenticated(identity),
        refused: (refusal) => {
          this.#misbehaviour.note("authFail");
          this.#log("info", "authentication was refused", () => refusalRecord(refusal));
        },
        hookFailed: this.#notes.hookFailed,
        failed: (error) => this.#endpoint.fail(error),
      },
    );
  }

  #authenticated(identity: Identity): void {
    this.#misbehaviour.forgive();
    // SUCCESS marks where compression begins, which must not fall into a key exchange.
    if (this.#endpoint.transport.exchangingKeys) {
      this.#lettingIn = () => this.#authenticated(identity);
      return;
    }
    const objection = this.#observer.loggingIn(this, identity);
    if (isThenable(objection)) this.#awaitObjection(identity, objection);
    else this.#letIn(identity, objection);
  }

  /** Another process counts the connections of a user: nothing is handled until it has answered. */
  #awaitObjection(identity: Identity, answer: Promise<string | undefined>): void {
    const resume = this.#endpoint.transport.hold();
    answer
      .then((objection) => {
        if (this.#endpoint.ended) return;
        const letIn = () => this.#letIn(identity, objection);
        if (this.#endpoint.transport.exchangingKeys) this.#lettingIn = letIn;
        else letIn();
      })
      .catch((error: unknown) => this.#endpoint.fail(error))
      .finally(resume);
  }

  #letIn(identity: Identity, objection: string | undefined): void {
    if (objection !== undefined) {
      this.disconnect(DisconnectReason.TOO_MANY_CONNECTIONS, objection);
      return;
    }
    const { announcedHostKeys, sessionLimits } = this.#settings;
    const { rekeySeconds, clientAliveInterval: aliveInterval, clientAliveCountMax: aliveCountMax } = this.#settings;
    const { transport } = this.#endpoint;
    this.#authentication = undefined;
    this.#clocks = new SessionClocks(sessionLimits, (message, reason) => {
      noteEndReason(this, reason);
      this.disconnect(DisconnectReason.BY_APPLICATION, message);
    });
    transport.send(encodeUserauthSuccess());
    transport.enter("running");
    transport.startDelayedCompression();
    if (announcedHostKeys.length > 0 && takesHostKeys(this.clientVersion)) {
      transport.send(encodeGlobalRequest(HOST_KEYS, "unwanted", encodeHostKeys(announcedHostKeys)));
    }
    this.#endpoint.run({ rekeySeconds, aliveInterval, aliveCountMax }, () => this.#channels?.sendKeepalive());
    this.#log("info", "a user has logged in", () => ({
      ...loginRecord(identity),
      clientVersion: loggedBytes(this.clientVersion),
    }));
    this.#observer.authenticated(this);
  }

  /** Of a user who has logged in. Made when it is first needed: a connection without channels does without. */
  get #channels(): Multiplexer<AnyChannel> | undefined {
    if (this.#clocks !== undefined) this.#multiplexer ??= this.#createMultiplexer(this.#clocks);
    return this.#multiplexer;
  }

  #createMultiplexer(clocks: SessionClocks): Multiplexer<AnyChannel> {
    const { server, sessionHooks, maxChannels, maxWindowSize, sessionLimits } = this.#settings;
    const log = this.#forwardingLog();
    const decide = (target: LocalTarget) =>
      callHook("checkLocalForwardRequest", () => server.checkLocalForwardRequest(target));
    this.#hostKeyProof = this.#createHostKeyProof();
    const authority = bindChannelAuthority({
      server,
      connection: this,
      sessionHooks,
      forwarding: this.#settings.forwarding.forClient(this, decide, log),
      log,
      refusedRequests: new RefusedRequests(this.#notes.refused),
      hostKeyProof: this.#hostKeyProof,
    });
    const sessionPlaces = new SessionPlaces(sessionLimits.maxSessions, (reason) => log.refused("session", reason));
    const multiplexer = new Multiplexer(
      { maxChannels, maxWindowSize },
      clocks.watch(sessionPlaces.guard(authority), () => this.channelCount),
      new ClientLink(this.#endpoint, clocks, this.#notes),
    );
    if (this.#endpoint.ended) {
      this.#hostKeyProof?.close();
      multiplexer.close();
    }
    return multiplexer;
  }

  #forwardingLog(): ForwardingLog {
    return {
      refused: (kind, reason, { target, err, cause, remedy } = {}) =>
        this.#notes.refused.note(
          `${kind}: ${reason}`,
          {
            ...(target !== undefined && { target }),
            ...(err !== undefined && { err: loggedError(err) }),
            ...(cause !== undefined && { cause }),
            ...(remedy !== undefined && { remedy }),
          },
          remedy === undefined ? "info" : "warn",
        ),
      ended: (kind, target, { bytesFromFirst, bytesFromSecond, cause, error }) =>
        this.#log("debug", "a forwarded connection has ended", () => ({
          ...{ kind, target, cause: cause === "aborted" ? "client gone" : cause },
          ...{ bytesReceived: bytesFromFirst, bytesSent: bytesFromSecond },
          ...streamErrorRecord(error),
        })),
      failed: this.#notes.hookFailed,
    };
  }

  #createHostKeyProof(): HostKeyProof | undefined {
    const { announcedHostKeys, algorithms } = this.#settings;
    const { sessionId, negotiated } = this.#endpoint.transport;
    if (sessionId === undefined || negotiated === undefined || announcedHostKeys.length === 0) return undefined;
    return new HostKeyProof({
      hostKeys: announcedHostKeys,
      sessionId,
      // An RSA key signs as in the key exchange, if that was by an RSA key: ssh takes nothing else.
      algorithms: [negotiated.hostKey, ...negotiated.commonHostKeys, ...algorithms.hostKey],
      signingTime: PROOF_TIME,
    });
  }

  #keysExchanged(): void {
    if (this.#clocks !== undefined) return;
    if (this.#lettingIn !== undefined) {
      this.#lettingIn();
    } else if (!this.#handshaken) {
      this.#handshaken = true;
      this.#endpoint.setDeadline(this.#settings.authTimeout, "the authentication took too long");
      this.#log("debug", "keys were exchanged", () => ({
        clientVersion: loggedBytes(this.clientVersion),
        algorithms: this.algorithms,
      }));
    }
  }

  #ended(end: ConnectionEnd): void {
    noteEnd(this, end);
    this.#holdAgainstClient(end);
    if (end.kind === "failed") this.#log("error", "the connection has failed", () => ({ err: end.error }));
    this.#log("info", "a connection has ended", () => ({ ...endRecord(end), ...this.#notes.counts }));
    this.#authentication?.end();
    this.#clocks?.stop();
    this.#hostKeyProof?.close();
    this.#multiplexer?.close();
  }

  #holdAgainstClient({ kind }: ConnectionEnd): void {
    switch (kind) {
      case "left":
      case "violated":
        this.#misbehaviour.clientEnded();
        return;
      case "failed":
        this.#misbehaviour.penalise(this.#identityRefused ? "authFail" : "crash");
        return;
      case "overdue":
        this.#misbehaviour.note("graceExceeded");
        this.#misbehaviour.serverEnded();
        return;
      case "disconnected":
        this.#misbehaviour.serverEnded();
    }
  }

  #log(level: LogLevel, message: string, fields: () => object = () => ({})): void {
    if (this.#logger.mayWrite(level)) this.#logger[level](fields(), message);
  }
}

function beforeLogin(): Promise<never> {
  return mayBeIgnored(Promise.reject(new Error("nothing can be asked of a client that has not logged in")));
}
