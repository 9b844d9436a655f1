import { nextTurn, type Steps, turnIsOver } from "../base/time-slices.js";
import { noneOpener, noneSealer } from "../crypto/cipher/none.js";
import type { Compressor, Decompressor } from "../crypto/compression/compression.js";
import { type DisconnectReason, MAX_PACKET_LENGTH, MessageNumber } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { decodeExtInfo } from "../protocol/messages/ext-info.js";
import {
  decodeDisconnect,
  decodeNewKeys,
  decodePing,
  encodeDisconnect,
  encodeNewKeys,
  encodePong,
  encodeUnimplemented,
} from "../protocol/messages/transport.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import { IdentificationReader } from "./identification.js";
import { KeyExchange } from "./key-exchange.js";
import type { Negotiated } from "./negotiation.js";
import { offerOf } from "./offer.js";
import { PacketReader } from "./packet-reader.js";
import { type Output, PacketWriter } from "./packet-writer.js";
import { dispositionOf, type Phase } from "./phases.js";
import type { Role } from "./role.js";
import { WaitingMessages } from "./waiting-messages.js";

export interface TransportOptions {
  readonly role: Role;
  /** Our identification without its line end, e.g. `SSH-2.0-spindlex_0.1`. */
  readonly identification: string;
  readonly algorithms: AlgorithmPreferences;
  /** Bytes in one direction after which new keys are made; the cipher may ask for them earlier. */
  readonly rekeyBytes: number;
}

/** The events that the transport tells its owner. */
export interface TransportHandlers extends Output {
  /** A message for the layers above, which the present phase allows. That of SSH_MSG_CHANNEL_DATA is lent until this returns. */
  message(payload: Buffer): void;
  /** An exchange of keys has begun; it needs a deadline. */
  keyExchangeStarted(): void;
  /** New keys are in use both ways. */
  keyExchangeFinished(): void;
  /** Channel data may be written again. */
  ready(): void;
  /** Whether so little waits to be sent that further messages, which may ask for answers, can be handled. */
  acceptsMessages(): boolean;
  /** All messages received so far were handled. */
  caughtUp(): void;
  /** The peer sent SSH_MSG_DISCONNECT. */
  disconnected(reason: number, description: string): void;
  /** The connection cannot go on. A ProtocolError holds the reason for the peer. */
  failed(error: unknown): void;
}

/**
 * Messages of one chunk that are handled without a look at the clock: nobody waits long for so few, and there are no more where data
 * come in packets that are full. A step of inflating counts as several.
 */
const FREE_MESSAGES = 16;
const INFLATING_STEP = 4;

/** Key exchanges before authentication is over. */
const MAX_UNAUTHENTICATED_KEY_EXCHANGES = 8;

/**
 * The transport layer (RFC 4253), for either role, as a state machine without I/O: bytes in, messages and bytes out.
 * Nothing above it ever sees a key exchange; what is sent during one waits.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #handlers: TransportHandlers;
  readonly #reader = new PacketReader(noneOpener);
  readonly #writer: PacketWriter;
  #identification: IdentificationReader | undefined;
  #peerIdentification = "";
  #phase: Phase = "initial-key-exchange";
  #strict = false;
  #exchange: KeyExchange | undefined;
  #exchanges = 0;
  /** Our KEXINIT went out and our NEWKEYS did not yet: nothing else may be sent (RFC 4253 §7.1). */
  #sendingBlocked = false;
  readonly #waiting = new WaitingMessages();
  #sessionId: Buffer | undefined;
  #hostKeyBlob: Buffer | undefined;
  #negotiated: Negotiated | undefined;
  #compressor: Compressor | undefined;
  #decompressor: Decompressor | undefined;
  /** The message that is being inflated: a packet of 256 KiB can take longer than a turn of the event loop should. */
  #inflating: Steps<Buffer> | undefined;
  /** What was compressed has taken this turn's time. */
  #resting = false;
  #holds = 0;
  /** `handlers.acceptsMessages` has said no. */
  #waitsForRoom = false;
  #processing = false;
  #closed = false;

  constructor(options: TransportOptions, handlers: TransportHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#identification = new IdentificationReader(options.role.linesBeforeIdentification);
    this.#writer = new PacketWriter(noneSealer, handlers);
  }

  /** The peer's identification line; empty until it came. */
  get peerIdentification(): string {
    return this.#peerIdentification;
  }

  /** The algorithms that the present keys were made with; `undefined` during the first key exchange. */
  get negotiated(): Negotiated | undefined {
    return this.#negotiated;
  }

  /** Identifies the connection; signatures of users cover it (RFC 4253 §7.2). */
  get sessionId(): Buffer | undefined {
    return this.#sessionId;
  }

  /** The public blob of the host key that signed the first exchange, to which session and users' signatures are bound. */
  get hostKeyBlob(): Buffer | undefined {
    return this.#hostKeyBlob;
  }

  /** Whether keys are being exchanged. */
  get exchangingKeys(): boolean {
    return this.#exchange !== undefined;
  }

  /** Whether channel data can be written now; `handlers.ready` tells when it can again. */
  get ready(): boolean {
    return !this.#sendingBlocked && !this.#closed && !this.#resting;
  }

  /** Memory held by messages that wait for new keys, bytes. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** Memory held by received bytes that were not handled yet, bytes. */
  get buffered(): number {
    return this.#reader.buffered;
  }

  /** Sends our identification. To be called once, first. */
  start(): void {
    this.#handlers.output(Buffer.from(`${this.#options.identification}\r\n`, "latin1"));
  }

  /**
   * Takes bytes from the peer. They are overwritten, and only lent: nothing of them is used once it returns. Never throws: see
   * `handlers.failed`.
   */
  receive(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      if (this.#identification === undefined) this.#reader.push(chunk);
      else this.#receiveIdentification(this.#identification, chunk);
    } catch (error) {
      this.#fail(error);
    }
    this.#process("received");
    if (!this.#closed) this.#reader.keep();
  }

  /** Handles what was received while `handlers.acceptsMessages` said no. */
  resume(): void {
    if (this.#waitsForRoom) this.#process("resumed");
  }

  /** Stops the handling of messages, not their reception, until the returned function is called. */
  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#process("resumed");
    };
  }

  /**
   * The layers above have come to another phase: authentication when the server has accepted the service, running with
   * USERAUTH_SUCCESS. Each side enters it as it sends or receives that message, before any other.
   */
  enter(phase: "authentication" | "running"): void {
    this.#phase = phase;
  }

  /** Starts delayed compression, if it was negotiated: to be called right after USERAUTH_SUCCESS was sent, or has come. */
  startDelayedCompression(): void {
    const { sends, receives } = this.#options.role;
    this.#compressor = this.#negotiated?.[sends].compression.createCompressor();
    this.#decompressor = this.#negotiated?.[receives].compression.createDecompressor();
  }

  /** Sends a message; during a key exchange it waits for the end of that. The payload must not be changed afterwards. */
  send(payload: Buffer): void {
    if (this.#closed) return;
    if (!this.#sendingBlocked) {
      this.#write(payload);
      return;
    }
    if (!this.#waiting.add(payload, this.#initial ? "initial" : "later")) {
      this.#fail(new ProtocolError("too many messages wait for the key exchange to end"));
    }
  }

  /** Sends a message with data, made of a head and parts that may be reused at once. Only while `ready`. */
  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.#write(head, parts);
    this.#rekeyIfDue();
  }

  /** Asks for new keys, unless an exchange is under way. */
  rekey(): void {
    if (this.#exchange === undefined && !this.#closed && this.#phase === "running") this.#startExchange();
  }

  /** Sends SSH_MSG_DISCONNECT; nothing is sent or handled after it. */
  disconnect(reason: DisconnectReason, description: string): void {
    if (this.#closed) return;
    const payload = encodeDisconnect(reason, description);
    this.#closed = true;
    // If sending itself has failed, the connection ends without a word.
    this.#write(payload);
    this.#writer.flush();
  }

  /** The peer is gone: nothing is sent or handled any more. */
  close(): void {
    this.#closed = true;
  }

  #receiveIdentification(reader: IdentificationReader, chunk: Buffer): void {
    const received = reader.receive(chunk);
    if (received === undefined) return;
    this.#identification = undefined;
    this.#peerIdentification = received.identification;
    this.#startExchange();
    this.#reader.push(received.rest);
  }

  #process(occasion: "received" | "resumed"): void {
    if (this.#processing) return;
    this.#processing = true;
    try {
      let free = occasion === "received" ? FREE_MESSAGES : 0;
      while (this.#holds === 0 && !this.#closed && this.#hasRoom()) {
        if (free <= 0 && this.#hasWork && turnIsOver()) {
          void nextTurn().then(this.hold());
          break;
        }
        if (this.#inflating !== undefined) {
          free -= INFLATING_STEP;
          this.#inflate(this.#inflating);
          continue;
        }
        free--;
        const payload = this.#reader.next();
        if (payload === undefined) {
          this.#handlers.caughtUp();
          break;
        }
        if (this.#decompressor === undefined) this.#dispatch(payload);
        else this.#inflating = this.#decompressor.decompress(payload, MAX_PACKET_LENGTH);
      }
      this.#rekeyIfDue();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#processing = false;
      this.#reader.release();
    }
  }

  #hasRoom(): boolean {
    this.#waitsForRoom = !this.#handlers.acceptsMessages();
    return !this.#waitsForRoom;
  }

  get #hasWork(): boolean {
    return this.#inflating !== undefined || this.#reader.hasUnread;
  }

  #inflate(message: Steps<Buffer>): void {
    const step = message.next();
    if (step.done !== true) return;
    this.#inflating = undefined;
    this.#dispatch(step.value);
  }

  #dispatch(payload: Buffer): void {
    const number = payload[0];
    if (number === undefined) throw new ProtocolError("a packet is empty");
    const phase = this.#exchange?.peerKexInitReceived ? this.#phaseOfExchange : this.#phase;
    switch (dispositionOf(this.#options.role.phases, phase, number)) {
      case "forbidden":
        throw new ProtocolError(`message ${number} is not allowed in phase ${phase}`);
      case "unimplemented":
        this.send(encodeUnimplemented(this.#reader.lastSequenceNumber));
        return;
      case "ignored":
        return;
      case "allowed":
        this.#handle(number, number === MessageNumber.CHANNEL_DATA ? payload : Buffer.from(payload));
    }
  }

  get #phaseOfExchange(): Phase {
    if (this.#initial) return this.#phase;
    return this.#phase === "running" ? "rekeying" : "rekeying-unauthenticated";
  }

  /** Before the peer's first NEWKEYS. */
  get #initial(): boolean {
    return this.#phase === "initial-key-exchange" || this.#phase === "strict-initial-key-exchange";
  }

  #handle(number: number, payload: Buffer): void {
    switch (number) {
      case MessageNumber.DISCONNECT: {
        const { reason, description } = decodeDisconnect(payload);
        this.#closed = true;
        this.#handlers.disconnected(reason, description);
        return;
      }
      case MessageNumber.IGNORE:
      case MessageNumber.DEBUG:
      case MessageNumber.UNIMPLEMENTED:
        return;
      case MessageNumber.EXT_INFO:
        this.#options.role.receiveExtensions(decodeExtInfo(payload));
        return;
      case MessageNumber.PING:
        this.send(encodePong(decodePing(payload)));
        return;
      case MessageNumber.KEXINIT:
        this.#receiveKexInit(payload);
        return;
      case MessageNumber.NEWKEYS:
        this.#receiveNewKeys(payload);
        return;
      default:
        if (number >= MessageNumber.KEX_FIRST && number <= MessageNumber.KEX_LAST) this.#receiveKexMessage(payload);
        else this.#handlers.message(payload);
    }
  }

  #startExchange(): KeyExchange {
    const { role, algorithms, identification } = this.#options;
    const exchange = new KeyExchange({
      role,
      ownIdentification: Buffer.from(identification, "latin1"),
      peerIdentification: Buffer.from(this.#peerIdentification, "latin1"),
      algorithms,
      sessionId: this.#sessionId,
    });
    this.#exchange = exchange;
    this.#write(exchange.kexInitPayload);
    this.#sendingBlocked = true;
    this.#handlers.keyExchangeStarted();
    return exchange;
  }

  #receiveKexInit(payload: Buffer): void {
    this.#exchanges++;
    if (this.#phase !== "running" && this.#exchanges > MAX_UNAUTHENTICATED_KEY_EXCHANGES) {
      throw new ProtocolError("too many key exchanges before authentication");
    }
    const exchange = this.#exchange ?? this.#startExchange();
    const opening = exchange.receiveKexInit(payload);
    if (this.#initial && exchange.strict) {
      this.#strict = true;
      this.#phase = "strict-initial-key-exchange";
      if (this.#reader.lastSequenceNumber !== 0) {
        throw new ProtocolError("KEXINIT was not the first packet of a strict key exchange");
      }
    }
    if (opening !== undefined) this.#write(opening);
  }

  #receiveKexMessage(payload: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) throw new ProtocolError("a key exchange message came out of turn");
    const step = exchange.receive(payload);
    if (step === undefined) return;
    if ("send" in step) {
      this.#write(step.send);
      return;
    }
    const release = this.hold();
    step.done
      .then(() => this.#sendNewKeys(exchange))
      .catch((error: unknown) => this.#fail(error))
      .finally(release);
  }

  #sendNewKeys(exchange: KeyExchange): void {
    const { result } = exchange;
    if (this.#closed || result === undefined) return;
    const first = this.#sessionId === undefined;
    if (result.lastMessage !== undefined) this.#write(result.lastMessage);
    this.#write(encodeNewKeys());
    this.#writer.changeKeys(result.sealer, this.#strict ? "reset" : "continue");
    this.#sessionId = result.sessionId;
    this.#hostKeyBlob ??= result.hostKeyBlob;
    const { role, algorithms } = this.#options;
    if (this.#phase === "running") this.#compressor = result.negotiated[role.sends].compression.createCompressor();
    if (first && exchange.peerTakesExtInfo) this.#write(offerOf(role, algorithms).extInfo);
    this.#sendingBlocked = false;
    for (const payload of this.#waiting.takeAll()) this.#write(payload);
    this.#handlers.ready();
  }

  #receiveNewKeys(payload: Buffer): void {
    const result = this.#exchange?.result;
    if (result === undefined) throw new ProtocolError("NEWKEYS came out of turn");
    decodeNewKeys(payload);
    this.#reader.changeKeys(result.opener, this.#strict ? "reset" : "continue");
    this.#negotiated = result.negotiated;
    this.#exchange = undefined;
    if (this.#phase === "running") {
      this.#decompressor = result.negotiated[this.#options.role.receives].compression.createDecompressor();
    } else if (this.#initial) {
      this.#phase = "service";
    }
    this.#handlers.keyExchangeFinished();
  }

  #rekeyIfDue(): void {
    const limit = this.#options.rekeyBytes;
    const { bytes } = this.#writer;
    if (bytes < limit && this.#reader.bytes < limit && !this.#reader.exhausted && !this.#writer.exhausted) return;
    this.rekey();
  }

  /** Never throws: those who write data, timers and readers of programs could do nothing about an error of the connection. */
  #write(head: Buffer, parts: readonly Uint8Array[] = []): void {
    try {
      if (this.#compressor === undefined) {
        this.#writer.write(head, parts);
        return;
      }
      this.#writer.write(this.#compressor.compress(parts.length === 0 ? head : Buffer.concat([head, ...parts])));
      if (turnIsOver()) this.#rest();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Others have their turn. To compress 32 KiB can take 10 ms, and the little that comes out shows no stream how long it took. */
  #rest(): void {
    if (this.#resting) return;
    this.#resting = true;
    void nextTurn().then(() => {
      this.#resting = false;
      if (this.ready) this.#handlers.ready();
    });
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#handlers.failed(error);
  }
}
