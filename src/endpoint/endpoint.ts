import type { Duplex } from "node:stream";
import { loggedText } from "../base/logged-text.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { encodeIgnore } from "../protocol/messages/transport.js";
import { Transport, type TransportHandlers, type TransportOptions } from "../transport/transport.js";
import type { ConnectionEnd, EndedHere, PeerLeft } from "./connection-end.js";
import { KeepAlive, type KeepAliveOptions } from "./keep-alive.js";
import { RekeyClock } from "./rekey-clock.js";
import { type StreamHandlers, StreamPump } from "./stream-pump.js";

/** Received bytes that may wait for a hook before the stream is no longer read. */
const MAX_UNHANDLED_BYTES = 64 * 1024;

/** Bytes for a peer that does not read, after which its own messages are no longer handled. */
const MAX_UNSENT_BYTES = { beforeLogin: 64 * 1024, afterLogin: 1024 * 1024 };

/** The same, after which nothing more is asked of it. There is still room for answers, also during a key exchange. */
const MAX_UNSENT_WITH_REQUESTS = 512 * 1024;

/** Milliseconds that the peer gets to take the last bytes of a connection. */
const CLOSING_TIME = 2000;

/** Milliseconds that a key exchange may take after the login. */
const REKEY_TIME = 60_000;

/** Milliseconds between the messages that show whether a peer whose messages have to wait is still there. */
const PROBE_INTERVAL = 10_000;

/** The events that an endpoint tells its owner. */
export interface EndpointHandlers {
  /** A message for the layers above. */
  message(payload: Buffer): void;
  /** New keys are in use both ways. */
  keysExchanged(): void;
  /** Channel data may be sent again. */
  writable(): void;
  /** It is over: nothing more comes or can be sent. Called once, before `signal` fires. */
  ended(end: ConnectionEnd): void;
  /** The stream is closed, and nothing is left. Called once. */
  closed(end: ConnectionEnd): void;
}

/** The options that hold once a user has logged in. */
export interface RunningOptions extends KeepAliveOptions {
  /** Seconds after which keys are too old. */
  readonly rekeySeconds: number;
}

/**
 * A transport on a stream, for either role: moves the bytes, keeps the deadlines, and sees that the peer is there. It hears of both itself:
 * a function for each event would be a kibibyte of an idle connection.
 */
export class Endpoint implements TransportHandlers, StreamHandlers {
  readonly transport: Transport;
  readonly #pump: StreamPump;
  readonly #handlers: EndpointHandlers;
  #abortController: AbortController | undefined;
  /** Ends what must not take for ever; one thing at a time. */
  #deadline: NodeJS.Timeout | undefined;
  #rekeyClock: RekeyClock | undefined;
  #keepAlive: KeepAlive | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #running = false;
  #end: ConnectionEnd | undefined;
  #endTold = false;
  #gone = false;

  constructor(stream: Duplex, options: TransportOptions, handlers: EndpointHandlers) {
    this.#handlers = handlers;
    this.#pump = new StreamPump(stream, this);
    this.transport = new Transport(options, this);
  }

  get bytesReceived(): number {
    return this.#pump.bytesReceived;
  }

  get bytesSent(): number {
    return this.#pump.bytesSent;
  }

  /** Fires when the connection ends, however it ends. Made when it is asked for: a kibibyte, and idle connections need none. */
  get signal(): AbortSignal {
    this.#abortController ??= new AbortController();
    if (this.#endTold) this.#abortController.abort();
    return this.#abortController.signal;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Whether channel data can be sent now. */
  get writable(): boolean {
    return this.transport.ready && !this.#pump.congested;
  }

  /** Whether so little waits to be sent that something can be asked of the peer. */
  get acceptsRequests(): boolean {
    return this.#pump.unsentBytes + this.transport.waitingBytes <= MAX_UNSENT_WITH_REQUESTS;
  }

  /** Begins to work. To be called once, first. */
  start(): void {
    if (!this.#pump.start()) return;
    this.transport.start();
    this.#pump.resume();
  }

  /** Sets a deadline in so many milliseconds, in place of the one before. */
  setDeadline(milliseconds: number, message: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#disconnect({ kind: "overdue", cause: message, reason: DisconnectReason.BY_APPLICATION }, message);
    }, milliseconds);
  }

  /**
   * A user has logged in: from now on keys grow old, and silence is asked for a sign of life.
   *
   * @param ask sends a message that the peer has to answer
   */
  run({ rekeySeconds, ...keepAlive }: RunningOptions, ask: () => void): void {
    this.#running = true;
    this.#pump.readMuch();
    this.#clearDeadline();
    this.#rekeyClock = new RekeyClock(rekeySeconds);
    this.#keepAlive = new KeepAlive(
      keepAlive,
      () => this.#ask(ask),
      () => this.disconnect(DisconnectReason.CONNECTION_LOST, "the peer does not answer"),
    );
  }

  /** Sends a message with data, made of a head and parts that may be reused at once. Only while `writable`. */
  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.transport.sendData(head, parts);
    if (this.#rekeyClock?.traffic()) this.transport.rekey();
  }

  /**
   * Ends the connection with SSH_MSG_DISCONNECT.
   *
   * @param message for the peer
   * @param options.cause for the log, if it says something else than the message
   * @param options.closingTime milliseconds that the peer gets to take what was sent
   */
  disconnect(
    reason: DisconnectReason,
    message: string,
    { cause = message, closingTime = CLOSING_TIME }: { readonly cause?: string; readonly closingTime?: number } = {},
  ): void {
    this.#disconnect({ kind: "disconnected", cause, reason }, message, closingTime);
  }

  /** The connection cannot go on. The peer is told the reason of a ProtocolError, and of anything else nothing. */
  fail(error: unknown): void {
    if (error instanceof ProtocolError) {
      const { message, reason } = error;
      this.#disconnect({ kind: "violated", cause: message, reason, error }, message);
    } else {
      const [cause, reason] = ["internal error", DisconnectReason.BY_APPLICATION] as const;
      this.#disconnect({ kind: "failed", cause, reason, error }, cause);
    }
  }

  // --- what the stream tells

  received(chunk: Buffer): void {
    if (this.#end !== undefined) return;
    this.#keepAlive?.heard();
    if (this.#rekeyClock?.traffic()) this.transport.rekey();
    this.transport.receive(chunk);
    // One that has ended reads to its end, and has nothing left that would stop a timer.
    if (!this.ended && this.transport.buffered > MAX_UNHANDLED_BYTES) this.#pauseReading();
  }

  /** What waited for room can go on. */
  sent(): void {
    if (this.#end !== undefined) return;
    if (!this.#pump.congested) this.#handlers.writable();
    if (this.acceptsMessages()) this.transport.resume();
  }

  lost(cause: string, error?: Error): void {
    this.#leave(cause, error && { error });
  }

  closed(): void {
    this.#leave("the peer has closed the connection");
    if (this.#gone || this.#end === undefined) return;
    this.#gone = true;
    this.#handlers.closed(this.#end);
  }

  // --- what the transport tells

  output(bytes: Buffer, done?: () => void): void {
    this.#pump.write(bytes, done);
  }

  message(payload: Buffer): void {
    this.#handlers.message(payload);
  }

  keyExchangeStarted(): void {
    // The stream may have broken as KEXINIT was written to it.
    if (this.#running && !this.ended) this.setDeadline(REKEY_TIME, "the key exchange took too long");
  }

  keyExchangeFinished(): void {
    if (this.#running) {
      this.#clearDeadline();
      this.#rekeyClock?.restart();
    }
    this.#handlers.keysExchanged();
  }

  ready(): void {
    this.#handlers.writable();
  }

  acceptsMessages(): boolean {
    return this.#pump.unsentBytes <= MAX_UNSENT_BYTES[this.#running ? "afterLogin" : "beforeLogin"];
  }

  caughtUp(): void {
    this.#pump.resume();
    if (this.#probeTimer === undefined) return;
    clearInterval(this.#probeTimer);
    this.#probeTimer = undefined;
  }

  disconnected(reason: number, description: string): void {
    this.#leave("the peer has disconnected", { reason, description: loggedText(description) });
  }

  failed(error: unknown): void {
    this.fail(error);
  }

  #pauseReading(): void {
    this.#pump.pause();
    if (this.transport.negotiated === undefined) return;
    // A stream that is not read does not tell that its peer is gone; writing to it does.
    this.#probeTimer ??= setInterval(() => this.#ask(() => this.transport.send(encodeIgnore())), PROBE_INTERVAL);
  }

  /** Messages that wait to be sent ask for a sign of life already; another one would only wait too. */
  #ask(send: () => void): void {
    if (!this.#pump.congested) send();
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  /** The peer has gone. */
  #leave(cause: string, details: Omit<PeerLeft, "kind" | "cause"> = {}): void {
    this.#finish({ kind: "left", cause, ...details }, CLOSING_TIME);
  }

  #disconnect(end: EndedHere, message: string, closingTime = CLOSING_TIME): void {
    if (this.#end !== undefined) return;
    this.transport.disconnect(end.reason, message);
    this.#finish(end, closingTime);
  }

  /** Nothing more is handled; the stream gets a moment to take what was sent. */
  #finish(end: ConnectionEnd, closingTime: number): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#keepAlive?.stop();
    this.#rekeyClock?.stop();
    this.#clearDeadline();
    clearInterval(this.#probeTimer);
    // First, for what waits would be handled as soon as the channels let go of it.
    this.transport.close();
    this.#handlers.ended(end);
    this.#endTold = true;
    this.#abortController?.abort();
    this.#pump.end(closingTime);
  }
}
