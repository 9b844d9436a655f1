import { randomBytes } from "node:crypto";
import type { PacketOpener, PacketSealer } from "../crypto/cipher/packet-cipher.js";
import { deriveKey, exchangeHash, type KeyLetter } from "../crypto/kex/key-derivation.js";
import type { ServerKeyExchange, ServerStep } from "../crypto/kex/key-exchange.js";
import type { HostKey } from "../crypto/pkey/host-key.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import { decodeKexInit, encodeKexInit, type KexInit } from "../protocol/messages/kex-init.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import { type Negotiated, type NegotiatedDirection, negotiate } from "./negotiation.js";

/** Pseudo algorithms that announce what a side can do (RFC 8308 §2.1, OpenSSH PROTOCOL §1.10). */
const EXT_INFO_CLIENT = "ext-info-c";
const EXT_INFO_SERVER = "ext-info-s";
const STRICT_CLIENT = "kex-strict-c-v00@openssh.com";
const STRICT_SERVER = "kex-strict-s-v00@openssh.com";

/** What all exchanges of one connection share. */
export interface KeyExchangeContext {
  /** Identification lines without their ends. */
  readonly clientIdentification: Buffer;
  readonly serverIdentification: Buffer;
  readonly hostKeys: readonly HostKey[];
  readonly algorithms: AlgorithmPreferences;
  /** Exchange hash of the first exchange; `undefined` in the first. */
  readonly sessionId: Buffer | undefined;
}

/** What an exchange leaves behind. */
export interface KeyExchangeResult {
  readonly negotiated: Negotiated;
  readonly hostKey: HostKey;
  readonly sessionId: Buffer;
  /** The method's last message; NEWKEYS follows it. */
  readonly reply: Buffer;
  readonly sealer: PacketSealer;
  readonly opener: PacketOpener;
}

/** What the two KEXINITs have come to. */
interface Agreement {
  readonly clientPayload: Buffer;
  readonly negotiated: Negotiated;
  readonly hostKey: HostKey;
}

/** The server's side of one key exchange (RFC 4253 §7), from its KEXINIT to new keys. */
export class KeyExchange {
  /** Our KEXINIT; has to be sent first. */
  readonly kexInitPayload: Buffer;
  readonly #context: KeyExchangeContext;
  readonly #kexInit: KexInit;
  #strict = false;
  #clientTakesExtInfo = false;
  #agreement: Agreement | undefined;
  #ignoreNext = false;
  #method: ServerKeyExchange | undefined;
  #result: KeyExchangeResult | undefined;

  constructor(context: KeyExchangeContext) {
    this.#context = context;
    const { kex, hostKey, cipher, mac, compression } = context.algorithms;
    const usable = hostKey.filter((name) => context.hostKeys.some((key) => key.signatureAlgorithms.includes(name)));
    this.#kexInit = {
      kex: context.sessionId === undefined ? [...kex, EXT_INFO_SERVER, STRICT_SERVER] : kex,
      hostKey: usable,
      cipherClientToServer: cipher,
      cipherServerToClient: cipher,
      macClientToServer: mac,
      macServerToClient: mac,
      compressionClientToServer: compression,
      compressionServerToClient: compression,
      firstKexPacketFollows: false,
    };
    this.kexInitPayload = encodeKexInit(this.#kexInit, randomBytes(16));
  }

  get clientKexInitReceived(): boolean {
    return this.#agreement !== undefined;
  }

  /** Both sides announced strict key exchange; only in the first exchange. */
  get strict(): boolean {
    return this.#strict;
  }

  /** The client understands EXT_INFO; only in the first exchange. */
  get clientTakesExtInfo(): boolean {
    return this.#clientTakesExtInfo;
  }

  /** What came out; there once our NEWKEYS is due. */
  get result(): KeyExchangeResult | undefined {
    return this.#result;
  }

  /** @throws {ProtocolError} for a malformed or second KEXINIT, or without common algorithms */
  receiveKexInit(payload: Buffer): void {
    if (this.#agreement !== undefined) throw new ProtocolError("KEXINIT during a key exchange");
    const clientKexInit = decodeKexInit(payload);
    this.#strict = clientKexInit.kex.includes(STRICT_CLIENT);
    this.#clientTakesExtInfo = clientKexInit.kex.includes(EXT_INFO_CLIENT);
    const negotiated = negotiate(clientKexInit, this.#kexInit);
    const hostKey = this.#context.hostKeys.find((key) => key.signatureAlgorithms.includes(negotiated.hostKey));
    if (hostKey === undefined) throw new ProtocolError("no host key", DisconnectReason.KEY_EXCHANGE_FAILED);
    // The payload is a view of a larger chunk, which would stay in memory with it.
    this.#agreement = { clientPayload: Buffer.from(payload), negotiated, hostKey };
    this.#ignoreNext = negotiated.ignoreFirstKexPacket;
    this.#method = negotiated.kex.startServer();
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

  async #finish(step: Extract<ServerStep, { kind: "done" }>, agreement: Agreement): Promise<void> {
    const { clientIdentification, serverIdentification } = this.#context;
    const { clientPayload, negotiated, hostKey } = agreement;
    const hash = exchangeHash(
      negotiated.kex.hash,
      clientIdentification,
      serverIdentification,
      clientPayload,
      this.kexInitPayload,
      hostKey.publicBlob,
      step.transcript,
      step.sharedSecret,
    );
    let signature: Buffer;
    try {
      signature = await hostKey.sign(hash, negotiated.hostKey);
    } catch (cause) {
      throw new ProtocolError("the host key could not sign", DisconnectReason.KEY_EXCHANGE_FAILED, { cause });
    }
    const sessionId = this.#context.sessionId ?? hash;
    const keys = (direction: NegotiatedDirection, iv: KeyLetter, key: KeyLetter, macKey: KeyLetter) => {
      const { cipher, mac } = direction;
      const derive = (letter: KeyLetter, length: number) =>
        deriveKey(negotiated.kex.hash, step.sharedSecret, hash, letter, sessionId, length);
      return {
        iv: derive(iv, cipher.ivLength),
        key: derive(key, cipher.keyLength),
        ...(mac === undefined ? {} : { mac: { algorithm: mac, key: derive(macKey, mac.keyLength) } }),
      };
    };
    const { clientToServer, serverToClient } = negotiated;
    this.#result = {
      negotiated,
      hostKey,
      sessionId,
      reply: step.reply(hostKey.publicBlob, signature),
      opener: clientToServer.cipher.createOpener(keys(clientToServer, "A", "C", "E")),
      sealer: serverToClient.cipher.createSealer(keys(serverToClient, "B", "D", "F")),
    };
    step.sharedSecret.fill(0);
  }
}
