import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Authentication } from "../auth/authentication.js";
import type { Identity } from "../auth/authenticator.js";
import type { Connection } from "../auth/connection.js";
import { type Permissions, RESTRICTED_PERMISSIONS } from "../auth/permissions.js";
import type { SignatureBinding } from "../auth/public-key.js";
import { Multiplexer } from "../connection/multiplexer.js";
import { KeepAlive } from "../endpoint/keep-alive.js";
import { DisconnectReason, MessageNumber } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { decodeServiceRequest, encodeIgnore, encodeServiceAccept } from "../protocol/messages/transport.js";
import { encodeUserauthSuccess } from "../protocol/messages/userauth.js";
import { type NegotiatedNames, namesOf } from "../transport/negotiation.js";
import { Transport } from "../transport/transport.js";
import { Misbehaviour } from "./admission/misbehaviour.js";
import type { PenaltyCause } from "./admission/penalties.js";
import { bindAuthenticator, bindChannelAuthority } from "./hooks.js";
import { encodeHostKeys, HOST_KEYS, takesHostKeys } from "./host-keys/host-key-announcement.js";
import { HostKeyProof } from "./host-keys/host-key-proof.js";
import { loggedBytes, loggedText } from "./logged-text.js";
import { loginRecord, refusalRecord } from "./login-record.js";
import { OddMessages } from "./odd-messages.js";
import { limitSessions, SessionClocks } from "./session-limits.js";
import type { ServerSettings } from "./settings.js";
import type { StreamInfo } from "./stream-info.js";

/** Received bytes that may wait for a hook before the stream is no longer read. */
const MAX_UNHANDLED_BYTES = 64 * 1024;

/** Bytes for a client that does not read, after which its own messages are no longer handled. */
const MAX_UNSENT_BYTES = { beforeLogin: 64 * 1024, afterLogin: 1024 * 1024 };

/** Milliseconds that a client gets to take the last bytes of a connection. */
const CLOSING_TIME = 2000;

/** Milliseconds that a key exchange may take after the first. */
const REKEY_TIME = 60_000;

/** Milliseconds that host keys may take to prove themselves. */
const PROOF_TIME = 10_000;

/** Milliseconds between the messages that show whether a client whose messages have to wait is still there. */
const PROBE_INTERVAL = 10_000;

let nextId = 1;

/** Who wants to know what becomes of a connection. */
export interface ConnectionObserver {
  /** Somebody has proven who they are. Returns what speaks against letting them in, as a text for the client, if anything. */
  loggingIn(connection: ServerConnection, identity: Identity): string | undefined;
  authenticated(connection: ServerConnection): void;
  /** The client has misbehaved and is gone without a login. */
  misbehaved(connection: ServerConnection, cause: PenaltyCause): void;
  /** The stream is closed, and nothing of the connection is left. */
  closed(connection: ServerConnection): void;
}

/** One client's connection: brings the stream, the transport, the authentication and the channels together. */
export class ServerConnection implements Connection {
  readonly id = nextId++;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly connectedAt = new Date();
  readonly #stream: Duplex;
  readonly #settings: ServerSettings;
  readonly #transport: Transport;
  readonly #abortController = new AbortController();
  readonly #observer: ConnectionObserver;
  #authentication: Authentication | undefined;
  #multiplexer: Multiplexer | undefined;
  readonly #ignored = new OddMessages((kind) => this.#log("debug", "a message was ignored", { kind }));
  readonly #refused = new OddMessages((kind, details) =>
    this.#log("info", "a request was refused", { reason: kind, ...details }),
  );
  #identity: Identity | undefined;
  #provenMethods: readonly string[] = [];
  #bytesReceived = 0;
  #bytesSent = 0;
  /** Ends what must not take forever: handshake, authentication, key exchange, closing. */
  #deadline: NodeJS.Timeout | undefined;
  #keepAlive: KeepAlive | undefined;
  #clocks: SessionClocks | undefined;
  readonly #misbehaviour: Misbehaviour;
  #probeTimer: NodeJS.Timeout | undefined;
  #rekeyTimer: NodeJS.Timeout | undefined;
  /** The keys are old. New ones are made with the next traffic: a client to which nothing is sent may sleep. */
  #rekeyDue = false;
  /** The first key exchange is over. */
  #handshaken = false;
  /** Who is let in once the key exchange under way is over. */
  #admitted: Identity | undefined;
  /** A hook has refused somebody who had proven everything. */
  #identityRefused = false;
  #ended = false;
  #gone = false;

  constructor(stream: Duplex, info: StreamInfo, settings: ServerSettings, observer: ConnectionObserver) {
    this.remoteAddress = info.remoteAddress;
    this.remotePort = info.remotePort;
    this.#stream = stream;
    this.#settings = settings;
    this.#observer = observer;
    this.#misbehaviour = new Misbehaviour(settings.admission.perSourcePenalties?.times, (cause) =>
      observer.misbehaved(this, cause),
    );
    this.#transport = new Transport(
      {
        identification: settings.identification,
        hostKeys: settings.hostKeys,
        algorithms: settings.algorithms,
        rekeyBytes: settings.rekeyBytes,
      },
      {
        output: (bytes, done) => this.#output(bytes, done),
        message: (payload) => this.#receive(payload),
        keyExchangeStarted: () => this.#keyExchangeStarted(),
        keyExchangeFinished: () => this.#keyExchangeFinished(),
        writable: () => this.#multiplexer?.resume(),
        acceptsMessages: () => this.#stream.writableLength <= this.#maxUnsentBytes,
        caughtUp: () => this.#resumeReading(),
        disconnected: (reason, description) =>
          this.#leave("the client has disconnected", { reason, description: loggedText(description) }),
        failed: (error) => this.#fail(error),
      },
    );
  }

  get clientVersion(): string {
    return this.#transport.clientIdentification;
  }

  get algorithms(): NegotiatedNames | undefined {
    const { negotiated } = this.#transport;
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
    return this.#bytesReceived;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get channelCount(): number {
    return this.#multiplexer?.channelCount ?? 0;
  }

  get signal(): AbortSignal {
    return this.#abortController.signal;
  }

  /** Resolves when no authentication hook is pending. */
  get hooksSettled(): Promise<void> {
    return this.#authentication?.settled ?? Promise.resolve();
  }

  /** Begins to serve. To be called once, first. */
  start(): void {
    const stream = this.#stream;
    // What others have written must not be decrypted under their hands.
    const own = (chunk: Uint8Array) =>
      stream instanceof Socket && Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    stream.on("data", (chunk: unknown) => {
      if (chunk instanceof Uint8Array) this.#receiveChunk(own(chunk));
      else this.#leave("the stream gives something other than bytes");
    });
    stream.on("drain", () => this.#multiplexer?.resume());
    stream.on("end", () => this.#leave("the client has closed the connection"));
    stream.on("error", (error) => this.#leave("the connection was lost", { err: error }));
    stream.on("close", () => this.#streamClosed());
    if (stream instanceof Socket) {
      stream.setNoDelay(true);
      stream.setKeepAlive(true, 60_000);
    }
    this.#log("debug", "a client has connected");
    this.#setDeadline(this.#settings.connectionTimeout, "the handshake took too long");
    if (stream.destroyed) {
      this.#streamClosed();
      return;
    }
    this.#transport.start();
    // Who has looked at the first bytes may have paused it.
    stream.resume();
  }

  /** @param closingTime milliseconds that the client gets to take the last bytes */
  disconnect(
    reason: DisconnectReason = DisconnectReason.BY_APPLICATION,
    message = "closed by the server",
    closingTime = CLOSING_TIME,
  ): void {
    if (this.#ended) return;
    this.#misbehaviour.serverEnded();
    this.#transport.disconnect(reason, message);
    this.#end(message, { reason }, closingTime);
  }

  refuse(): void {
    if (this.#ended) return;
    this.#misbehaviour.penalise("refuseConnection");
    this.#transport.disconnect(DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT, "the connection was refused");
    this.#end("the server has refused the connection", { reason: DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT });
  }

  reportInvalidUser(): void {
    this.#misbehaviour.note("invalidUser");
  }

  #output(bytes: Buffer, done?: () => void): void {
    this.#bytesSent += bytes.length;
    if (this.#stream instanceof Socket) {
      this.#stream.write(bytes, () => {
        done?.();
        this.#sent();
      });
      return;
    }
    try {
      // Other streams may say that they are done while they still hold the bytes.
      this.#stream.write(Buffer.from(bytes), () => this.#sent());
    } catch (error) {
      this.#leave("the connection was lost", { err: error });
    }
    done?.();
  }

  get #maxUnsentBytes(): number {
    return MAX_UNSENT_BYTES[this.#identity === undefined ? "beforeLogin" : "afterLogin"];
  }

  #receiveChunk(chunk: Buffer): void {
    if (this.#ended) return;
    this.#bytesReceived += chunk.length;
    this.#keepAlive?.heard();
    this.#rekeyIfDue();
    this.#transport.receive(chunk);
    if (this.#transport.buffered > MAX_UNHANDLED_BYTES) this.#pauseReading();
  }

  #rekeyIfDue(): void {
    if (!this.#rekeyDue) return;
    this.#rekeyDue = false;
    this.#transport.rekey();
  }

  #pauseReading(): void {
    this.#stream.pause();
    if (!this.#handshaken) return;
    // A stream that is not read does not tell that its peer is gone; writing to it does.
    this.#probeTimer ??= setInterval(() => this.#ask(() => this.#transport.send(encodeIgnore())), PROBE_INTERVAL);
  }

  /** What waits to be sent asks for a sign of life already; more of it would only wait too. */
  #ask(send: () => void): void {
    if (!this.#stream.writableNeedDrain) send();
  }

  #resumeReading(): void {
    if (this.#stream.isPaused()) this.#stream.resume();
    clearInterval(this.#probeTimer);
    this.#probeTimer = undefined;
  }

  /** Something was sent: what waited for room can go on. */
  #sent(): void {
    if (this.#ended) return;
    if (!this.#stream.writableNeedDrain) this.#multiplexer?.resume();
    if (this.#stream.writableLength <= this.#maxUnsentBytes) this.#transport.resume();
  }

  #receive(payload: Buffer): void {
    const [number] = payload;
    if (number === MessageNumber.CHANNEL_DATA || number === MessageNumber.CHANNEL_EXTENDED_DATA) this.#clocks?.touch();
    if (number === MessageNumber.SERVICE_REQUEST) this.#receiveServiceRequest(payload);
    else if (this.#multiplexer !== undefined) this.#multiplexer.receive(payload);
    else this.#authentication?.receive(payload);
  }

  #receiveServiceRequest(payload: Buffer): void {
    const service = decodeServiceRequest(payload);
    const { sessionId, hostKeyBlob } = this.#transport;
    if (service !== "ssh-userauth" || sessionId === undefined || hostKeyBlob === undefined) {
      throw new ProtocolError("the service is not available", DisconnectReason.SERVICE_NOT_AVAILABLE);
    }
    // A client that asks again goes on with the authentication that it has begun, and what it counts.
    this.#authentication ??= this.#createAuthentication({ sessionId, hostKeyBlob });
    this.#transport.enter("authentication");
    this.#transport.send(encodeServiceAccept(service));
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
            // A hook that does not want the user in the end is no defect of anything.
            if (identity === undefined) this.#identityRefused = true;
            this.#identity = identity;
          },
        },
        this.#hookFailed,
      ),
      {
        binding,
        remoteAddress: this.remoteAddress,
        signal: this.signal,
        send: (message) => this.#transport.send(message),
        hold: () => this.#transport.hold(),
        authenticated: (identity) => this.#authenticated(identity),
        refused: (refusal) => {
          this.#misbehaviour.note("authFail");
          this.#log("info", "authentication was refused", refusalRecord(refusal));
        },
        hookFailed: this.#hookFailed,
        failed: (error) => this.#fail(error),
      },
    );
  }

  #authenticated(identity: Identity): void {
    this.#misbehaviour.forgive();
    // SUCCESS marks where compression begins, which must not fall into a key exchange.
    if (this.#transport.exchangingKeys) {
      this.#admitted = identity;
      return;
    }
    const objection = this.#observer.loggingIn(this, identity);
    if (objection !== undefined) {
      this.disconnect(DisconnectReason.TOO_MANY_CONNECTIONS, objection);
      return;
    }
    const { server, sessionHooks, announcedHostKeys, maxChannels, maxWindowSize, rekeySeconds, sessionLimits } =
      this.#settings;
    const transport = this.#transport;
    const stream = this.#stream;
    this.#authentication = undefined;
    const clocks = new SessionClocks(sessionLimits, (message) =>
      this.disconnect(DisconnectReason.BY_APPLICATION, message),
    );
    this.#clocks = clocks;
    const proof = this.#createHostKeyProof();
    const authority = bindChannelAuthority(server, this, sessionHooks, this.#hookFailed, proof);
    const multiplexer = new Multiplexer(
      { maxChannels, maxWindowSize },
      clocks.watch(limitSessions(authority, sessionLimits.maxSessions), () => this.channelCount),
      {
        connection: this,
        get writable() {
          return transport.ready && !stream.writableNeedDrain;
        },
        send: (payload) => transport.send(payload),
        sendData: (head, data) => {
          clocks.touch();
          transport.sendData(head, data);
          this.#rekeyIfDue();
        },
        hold: () => transport.hold(),
        failed: (error) => this.#fail(error),
        hookFailed: this.#hookFailed,
        ignored: (kind) => this.#ignored.note(kind),
        textRefused: (what) => this.#refused.note("a text is not UTF-8", { request: loggedText(what) }),
        misused: ({ id }, message) => this.#log("warn", message, { channel: id }),
      },
    );
    this.#multiplexer = multiplexer;
    transport.send(encodeUserauthSuccess());
    transport.enter("running");
    transport.startDelayedCompression();
    if (announcedHostKeys.length > 0 && takesHostKeys(this.clientVersion)) {
      multiplexer.sendGlobalRequest(HOST_KEYS, encodeHostKeys(announcedHostKeys));
    }
    this.#clearDeadline();
    this.#keepAlive = new KeepAlive(
      this.#settings,
      () => this.#ask(() => multiplexer.sendKeepalive()),
      () => this.disconnect(DisconnectReason.CONNECTION_LOST, "the client does not answer"),
    );
    this.#rekeyTimer = setTimeout(() => {
      this.#rekeyDue = true;
    }, rekeySeconds * 1000);
    this.#log("info", "a user has logged in", {
      ...loginRecord(identity),
      clientVersion: loggedBytes(this.clientVersion),
    });
    this.#observer.authenticated(this);
  }

  #createHostKeyProof(): HostKeyProof | undefined {
    const { announcedHostKeys, algorithms } = this.#settings;
    const { sessionId, negotiated } = this.#transport;
    if (sessionId === undefined || negotiated === undefined || announcedHostKeys.length === 0) return undefined;
    return new HostKeyProof({
      hostKeys: announcedHostKeys,
      sessionId,
      // An RSA key signs as in the key exchange, if that was by an RSA key: ssh takes nothing else.
      algorithms: [negotiated.hostKey, ...negotiated.commonHostKeys, ...algorithms.hostKey],
      signingTime: PROOF_TIME,
      signal: this.signal,
    });
  }

  #keyExchangeStarted(): void {
    if (this.#multiplexer !== undefined) this.#setDeadline(REKEY_TIME, "the key exchange took too long");
  }

  #keyExchangeFinished(): void {
    if (this.#multiplexer !== undefined) {
      this.#clearDeadline();
      this.#rekeyTimer?.refresh();
    } else if (this.#admitted !== undefined) {
      this.#authenticated(this.#admitted);
    } else if (!this.#handshaken) {
      this.#handshaken = true;
      this.#setDeadline(this.#settings.authTimeout, "the authentication took too long");
      this.#log("debug", "keys were exchanged", {
        clientVersion: loggedBytes(this.clientVersion),
        algorithms: this.algorithms,
      });
    }
  }

  #setDeadline(milliseconds: number, message: string): void {
    this.#clearDeadline();
    this.#deadline = setTimeout(() => {
      this.#misbehaviour.note("graceExceeded");
      this.disconnect(DisconnectReason.BY_APPLICATION, message);
    }, milliseconds);
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  readonly #hookFailed = (hook: string, error: unknown): void => {
    this.#log("error", "a hook has failed", { hook: loggedText(hook), err: error });
  };

  #fail(error: unknown): void {
    if (this.#ended) return;
    if (error instanceof ProtocolError) {
      this.#misbehaviour.clientEnded();
      this.#transport.disconnect(error.reason, error.message);
      this.#end(error.message, { reason: error.reason, ...(error.cause === undefined ? {} : { err: error.cause }) });
    } else {
      this.#misbehaviour.penalise(this.#identityRefused ? "authFail" : "crash");
      this.#transport.disconnect(DisconnectReason.BY_APPLICATION, "internal error");
      this.#log("error", "the connection has failed", { err: error });
      this.#end("internal error");
    }
  }

  /** The client has gone of its own accord. */
  #leave(cause: string, details: object = {}): void {
    if (this.#ended) return;
    this.#misbehaviour.clientEnded();
    this.#end(cause, details);
  }

  /** Nothing more is handled; the stream gets a moment to take what was sent. */
  #end(cause: string, details: object = {}, closingTime = CLOSING_TIME): void {
    if (this.#ended) return;
    this.#ended = true;
    const { counts: ignored } = this.#ignored;
    const { counts: refused } = this.#refused;
    this.#log("info", "a connection has ended", {
      cause,
      ...details,
      ...(ignored && { ignored }),
      ...(refused && { refused }),
    });
    this.#keepAlive?.stop();
    this.#clocks?.stop();
    clearInterval(this.#probeTimer);
    clearTimeout(this.#rekeyTimer);
    this.#clearDeadline();
    // First, for what waits would be handled as soon as the channels let go of it.
    this.#transport.close();
    this.#multiplexer?.close();
    this.#abortController.abort();
    this.#stream.end();
    // Unread bytes would make the system reset the connection before the client has read why.
    this.#stream.resume();
    this.#deadline = setTimeout(() => {
      this.#stream.destroy();
      // Not every stream tells that it is closed.
      this.#streamClosed();
    }, closingTime);
  }

  #streamClosed(): void {
    this.#leave("the client has closed the connection");
    this.#clearDeadline();
    if (this.#gone) return;
    this.#gone = true;
    this.#observer.closed(this);
  }

  #log(level: "debug" | "info" | "warn" | "error", message: string, fields: object = {}): void {
    const { id, remoteAddress, remotePort, username } = this;
    try {
      this.#settings.logger[level](
        { connection: id, remoteAddress, remotePort, ...(username && { username: loggedText(username) }), ...fields },
        message,
      );
    } catch {
      // A logger that fails must not take the connection with it.
    }
  }
}
