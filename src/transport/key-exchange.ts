import type { PacketOpener, PacketSealer } from "../crypto/cipher/packet-cipher.js";
import { deriveKey, exchangeHash, type KeyLetter } from "../crypto/kex/key-derivation.js";
import { ProtocolError } from "../protocol/errors.js";
import { decodeKexInit, type KexInit } from "../protocol/messages/kex-init.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import { type Direction, guessedWrong, type Negotiated, negotiate } from "./negotiation.js";
import { offerOf } from "./offer.js";
import type { Method, MethodResult, Role } from "./role.js";

/** The keys of each direction: IV, cipher key and MAC key (RFC 4253 §7.2). */
const LETTERS: Readonly<Record<Direction, readonly [iv: KeyLetter, key: KeyLetter, macKey: KeyLetter]>> = {
  clientToServer: ["A", "C", "E"],
  serverToClient: ["B", "D", "F"],
};

/** The values that all exchanges of one connection share. */
export interface KeyExchangeContext {
  readonly role: Role;
  /** Identification lines without their ends. */
  readonly ownIdentification: Buffer;
  readonly peerIdentification: Buffer;
  readonly algorithms: AlgorithmPreferences;
  /** Exchange hash of the first exchange; `undefined` in the first. */
  readonly sessionId: Buffer | undefined;
}

/** The result of an exchange. */
export interface KeyExchangeResult {
  readonly negotiated: Negotiated;
  /** The server's public host key, which has signed this exchange. */
  readonly hostKeyBlob: Buffer;
  readonly sessionId: Buffer;
  /** The method's last message, where it is ours; NEWKEYS follows it. */
  readonly lastMessage: Buffer | undefined;
  readonly sealer: PacketSealer;
  readonly opener: PacketOpener;
}

/** The agreement that the two KEXINITs have led to. */
interface Agreement {
  readonly peerPayload: Buffer;
  readonly negotiated: Negotiated;
}

/** One side of one key exchange (RFC 4253 §7), from its KEXINIT to new keys. */
export class KeyExchange {
  /** Our KEXINIT; has to be sent first. */
  readonly kexInitPayload: Buffer;
  readonly #context: KeyExchangeContext;
  readonly #kexInit: KexInit;
  #strict = false;
  #peerTakesExtInfo = false;
  #agreement: Agreement | undefined;
  #ignoreNext = false;
  #method: Method | undefined;
  #result: KeyExchangeResult | undefined;

  constructor(context: KeyExchangeContext) {
    this.#context = context;
    const offer = offerOf(context.role, context.algorithms);
    const offered = context.sessionId === undefined ? offer.firstExchange : offer.laterExchanges;
    this.#kexInit = offered.kexInit;
    this.kexInitPayload = offered.freshPayload();
  }

  get peerKexInitReceived(): boolean {
    return this.#agreement !== undefined;
  }

  /** Both sides announced strict key exchange; only in the first exchange. */
  get strict(): boolean {
    return this.#strict;
  }

  /** The peer understands EXT_INFO; only in the first exchange. */
  get peerTakesExtInfo(): boolean {
    return this.#peerTakesExtInfo;
  }

  /** The result; there once our NEWKEYS is due. */
  get result(): KeyExchangeResult | undefined {
    return this.#result;
  }

  /**
   * Takes the peer's KEXINIT. Returns the method's first message, where it is ours.
   *
   * @throws {ProtocolError} for a malformed or second KEXINIT, or without common algorithms
   */
  receiveKexInit(payload: Buffer): Buffer | undefined {
    if (this.#agreement !== undefined) throw new ProtocolError("KEXINIT during a key exchange");
    const { role, algorithms } = this.#context;
    const peerKexInit = decodeKexInit(payload);
    this.#strict = peerKexInit.kex.includes(role.peerMarkers.strict);
    this.#peerTakesExtInfo = peerKexInit.kex.includes(role.peerMarkers.extInfo);
    const negotiated = negotiate(...this.#clientFirst(this.#kexInit, peerKexInit));
    const method = role.startMethod(negotiated, algorithms);
    // The payload is a view of a larger chunk, which would stay in memory with it.
    this.#agreement = { peerPayload: Buffer.from(payload), negotiated };
    this.#ignoreNext = guessedWrong(peerKexInit, this.#kexInit);
    this.#method = method;
    return method.opening;
  }

  /**
   * Takes a message of the key exchange method. Returns what to send before the next one may come; or, after the last
   * one, a promise that is fulfilled when `result` is there; or `undefined` where the message was a wrong guess.
   *
   * @throws {ProtocolError} when the message is not the one that is due
   */
  receive(payload: Buffer): { readonly send: Buffer } | { readonly done: Promise<void> } | undefined {
    if (this.#method === undefined || this.#agreement === undefined)
      throw new ProtocolError("a key exchange message came out of turn");
    if (this.#ignoreNext) {
      this.#ignoreNext = false;
      return undefined;
    }
    const step = this.#method.receive(payload);
    if (step.kind === "continue") return { send: step.payload };
    this.#method = undefined;
    return { done: this.#finish(step, this.#agreement) };
  }

  async #finish(result: MethodResult, { peerPayload, negotiated }: Agreement): Promise<void> {
    const { role, ownIdentification, peerIdentification } = this.#context;
    const hash = exchangeHash(
      negotiated.kex.hash,
      ...this.#clientFirst(ownIdentification, peerIdentification),
      ...this.#clientFirst(this.kexInitPayload, peerPayload),
      result.hostKeyBlob,
      result.transcript,
      result.sharedSecret,
    );
    const lastMessage = await result.authenticate(hash);
    const sessionId = this.#context.sessionId ?? hash;
    const keys = (direction: Direction) => {
      const { cipher, mac } = negotiated[direction];
      const [iv, key, macKey] = LETTERS[direction];
      const derive = (letter: KeyLetter, length: number) =>
        deriveKey(negotiated.kex.hash, result.sharedSecret, hash, letter, sessionId, length);
      return {
        iv: derive(iv, cipher.ivLength),
        key: derive(key, cipher.keyLength),
        ...(mac === undefined ? {} : { mac: { algorithm: mac, key: derive(macKey, mac.keyLength) } }),
      };
    };
    const [incoming, outgoing] = [keys(role.receives), keys(role.sends)];
    this.#result = {
      negotiated,
      hostKeyBlob: result.hostKeyBlob,
      sessionId,
      lastMessage,
      opener: negotiated[role.receives].cipher.createOpener(incoming),
      sealer: negotiated[role.sends].cipher.createSealer(outgoing),
    };
    for (const { key, iv, mac } of [incoming, outgoing]) for (const part of [key, iv, mac?.key]) part?.fill(0);
    result.sharedSecret.fill(0);
  }

  #clientFirst<T>(own: T, peer: T): [client: T, server: T] {
    return this.#context.role.sends === "clientToServer" ? [own, peer] : [peer, own];
  }
}
