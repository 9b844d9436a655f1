import { atOnce } from "../../src/base/time-slices.js";
import { noneOpener, noneSealer } from "../../src/crypto/cipher/none.js";
import type { PacketOpener, PacketSealer } from "../../src/crypto/cipher/packet-cipher.js";
import type { Compressor, Decompressor } from "../../src/crypto/compression/compression.js";
import { compressionAlgorithms } from "../../src/crypto/compression/registry.js";
import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { MAX_PACKET_LENGTH, MessageNumber } from "../../src/protocol/constants.js";
import { type AlgorithmsOption, resolveAlgorithms } from "../../src/transport/algorithms.js";
import { serverRole } from "../../src/transport/server-role.js";
import { Transport } from "../../src/transport/transport.js";
import { type KexClient, startClient } from "../support/kex-client.js";
import { type PacketShape, sealPacket } from "../support/packet-framing.js";
import { type Agreement, agree, deriveDirection, type Exchange, hashExchange } from "../support/packet-keys.js";
import * as messages from "../support/packet-messages.js";
import { lend } from "./lend.js";

export const HOST_KEY = PKey.generate({ keyType: "ed25519" });
export const STRICT = "kex-strict-c-v00@openssh.com";
export const EXT_INFO = "ext-info-c";

export interface MemoryClientOptions {
  readonly hostKeys?: readonly HostKey[];
  readonly algorithms?: AlgorithmsOption;
  readonly rekeyBytes?: number;
  /** What the client announces beside its key exchange method. */
  readonly markers?: readonly string[];
  /** Changes the client's KEXINIT. */
  readonly kexInit?: Partial<messages.KexInit>;
}

/**
 * A server's Transport and a client for it, joined in memory. The client sends nothing by itself; what comes from the
 * server it reads under the right keys.
 */
export class MemoryClient {
  readonly server: Transport;
  /** What the transport told its owner, in order. */
  readonly events: string[] = [];
  /** Messages that reached the layers above. */
  readonly messages: Buffer[] = [];
  readonly failures: unknown[] = [];
  /** Called with each message that reaches the layers above. */
  onMessage: (payload: Buffer) => void = () => {};
  /** Called when all messages were handled. */
  caughtUp: () => void = () => {};
  /** Whether further messages are handled. */
  accepting = true;
  readonly #options: MemoryClientOptions;
  readonly #received: Buffer[] = [];
  #bytes = Buffer.alloc(0);
  #serverIdentification: Buffer | undefined;
  #sealer: PacketSealer = noneSealer;
  #opener: PacketOpener = noneOpener;
  #incomingLength: number | undefined;
  #sentPackets = 0;
  #receivedPackets = 0;
  #clientKexInit: Buffer = Buffer.alloc(0);
  #serverKexInit: Buffer = Buffer.alloc(0);
  #method: KexClient | undefined;
  #exchange: Exchange | undefined;
  #sessionId: Buffer | undefined;
  #strict = false;
  #compressor: Compressor | undefined;
  #decompressor: Decompressor | undefined;

  constructor(options: MemoryClientOptions = {}) {
    this.#options = options;
    this.server = new Transport(
      {
        identification: "SSH-2.0-server",
        role: serverRole(options.hostKeys ?? [HOST_KEY]),
        algorithms: resolveAlgorithms(options.algorithms ?? "default"),
        rekeyBytes: options.rekeyBytes ?? Number.POSITIVE_INFINITY,
      },
      {
        output: (bytes, done) => {
          this.#bytes = Buffer.concat([this.#bytes, bytes]);
          done?.();
        },
        message: (payload) => {
          this.messages.push(Buffer.from(payload));
          this.onMessage(payload);
        },
        keyExchangeStarted: () => this.events.push("started"),
        keyExchangeFinished: () => this.events.push("finished"),
        ready: () => this.events.push("writable"),
        acceptsMessages: () => this.accepting,
        caughtUp: () => this.caughtUp(),
        disconnected: (reason, description) => this.events.push(`disconnected ${reason} ${description}`),
        failed: (error) => this.failures.push(error),
      },
    );
    this.server.start();
  }

  /** Goes as far as both NEWKEYS. */
  static async connected(options: MemoryClientOptions = {}): Promise<MemoryClient> {
    const client = new MemoryClient(options);
    client.sendIdentification();
    await client.exchangeKeys();
    return client;
  }

  /** Goes as far as the connection protocol. */
  static async running(options: MemoryClientOptions = {}): Promise<MemoryClient> {
    const client = await MemoryClient.connected(options);
    client.server.enter("running");
    await client.take();
    client.events.length = 0;
    return client;
  }

  get sessionId(): Buffer | undefined {
    return this.#sessionId;
  }

  get agreement(): Agreement {
    return agree(messages.readKexInit(this.#clientKexInit), messages.readKexInit(this.#serverKexInit));
  }

  get serverIdentification(): string | undefined {
    return this.#serverIdentification?.toString("latin1");
  }

  get exchange(): Exchange {
    if (this.#exchange === undefined) throw new Error("no key exchange yet");
    return this.#exchange;
  }

  /** Sequence number of the packet sent last. */
  get lastSequenceNumber(): number {
    return this.#sentPackets - 1;
  }

  sendBytes(bytes: Uint8Array): void {
    lend(this.server, Buffer.from(bytes));
  }

  sendIdentification(): void {
    this.sendBytes(Buffer.from("SSH-2.0-client\r\n"));
  }

  /** A packet under the keys of this moment, not sent yet. */
  packet(payload: Buffer, shape?: PacketShape): Buffer {
    const body = this.#compressor?.compress(payload) ?? payload;
    return sealPacket(this.#sealer, this.#sentPackets++, body, shape);
  }

  send(payload: Buffer, shape?: PacketShape): void {
    this.sendBytes(this.packet(payload, shape));
  }

  sendKexInit(change: Partial<messages.KexInit> = {}): void {
    const cipher = ["aes128-gcm@openssh.com", "aes128-ctr"];
    const mac = ["hmac-sha2-256"];
    const kex = ["curve25519-sha256"];
    this.#clientKexInit = messages.writeKexInit({
      cookie: messages.freshCookie(),
      kex: this.#sessionId === undefined ? [...kex, ...(this.#options.markers ?? [STRICT, EXT_INFO])] : kex,
      hostKey: ["ssh-ed25519", "ecdsa-sha2-nistp256"],
      cipherClientToServer: cipher,
      cipherServerToClient: cipher,
      macClientToServer: mac,
      macServerToClient: mac,
      compressionClientToServer: ["none"],
      compressionServerToClient: ["none"],
      firstKexPacketFollows: false,
      ...this.#options.kexInit,
      ...change,
    });
    this.send(this.#clientKexInit);
  }

  /** The first message of the agreed method; the server's KEXINIT must have come. */
  async sendMethod(): Promise<void> {
    await this.#receive();
    if (this.#sessionId === undefined) {
      this.#strict = messages.readKexInit(this.#clientKexInit).kex.includes(STRICT);
    }
    this.#method = startClient(this.agreement.kex);
    this.send(this.#method.init);
  }

  async sendNewKeys(): Promise<void> {
    await this.#receive();
    this.send(messages.message(MessageNumber.NEWKEYS));
    const { cipher, keys } = deriveDirection(this.exchange, this.#sessionId ?? this.exchange.hash, "client-to-server");
    this.#sealer = cipher.createSealer(keys);
    if (this.#compressor !== undefined) this.#compressor = zlib().createCompressor();
    if (this.#strict) this.#sentPackets = 0;
  }

  async exchangeKeys(change: Partial<messages.KexInit> = {}): Promise<void> {
    this.sendKexInit(change);
    await this.sendMethod();
    await this.sendNewKeys();
  }

  startCompression(): void {
    this.#compressor = zlib().createCompressor();
    this.#decompressor = zlib().createDecompressor();
  }

  /** The payloads that came since the last time. */
  async take(): Promise<Buffer[]> {
    await this.#receive();
    return this.#received.splice(0);
  }

  /** The message numbers of `take()`. */
  async takeNumbers(): Promise<(number | undefined)[]> {
    return (await this.take()).map((payload) => payload[0]);
  }

  async #receive(): Promise<void> {
    // The server writes at the end of a turn, and a signature may be a promise.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#serverIdentification === undefined) {
      const end = this.#bytes.indexOf("\r\n");
      if (end === -1) return;
      this.#serverIdentification = this.#bytes.subarray(0, end);
      this.#bytes = this.#bytes.subarray(end + 2);
    }
    for (let payload = this.#nextPayload(); payload !== undefined; payload = this.#nextPayload()) {
      this.#received.push(payload);
      this.#follow(payload);
    }
  }

  #nextPayload(): Buffer | undefined {
    const opener = this.#opener;
    if (this.#bytes.length < opener.headerLength) return undefined;
    this.#incomingLength ??= opener.readLength(
      Buffer.from(this.#bytes.subarray(0, opener.headerLength)),
      this.#receivedPackets,
    );
    const end = 4 + this.#incomingLength + opener.tagLength;
    if (this.#bytes.length < end) return undefined;
    const opened = opener.open(Buffer.from(this.#bytes.subarray(0, end)), this.#receivedPackets++);
    this.#incomingLength = undefined;
    this.#bytes = this.#bytes.subarray(end);
    const body = opened.subarray(1, opened.length - (opened[0] ?? 0));
    const inflating = this.#decompressor?.decompress(body, MAX_PACKET_LENGTH);
    return inflating === undefined ? body : atOnce(inflating);
  }

  #follow(payload: Buffer): void {
    switch (payload[0]) {
      case MessageNumber.KEXINIT:
        this.#serverKexInit = Buffer.from(payload);
        return;
      case MessageNumber.KEX_ECDH_REPLY:
        this.#finishMethod(payload);
        return;
      case MessageNumber.NEWKEYS:
        this.#takeServerKeys();
    }
  }

  #finishMethod(reply: Buffer): void {
    if (this.#method === undefined) throw new Error("a reply to nothing");
    this.#exchange = hashExchange({
      agreement: this.agreement,
      clientIdentification: Buffer.from("SSH-2.0-client"),
      serverIdentification: this.#serverIdentification ?? Buffer.alloc(0),
      clientKexInit: this.#clientKexInit,
      serverKexInit: this.#serverKexInit,
      result: this.#method.finish(reply),
    });
    const { hostKey, hash, signature } = this.#exchange;
    if (!PKey.fromBlob(hostKey).verify(hash, signature)) throw new Error("the host key is not proven");
  }

  #takeServerKeys(): void {
    this.#sessionId ??= this.exchange.hash;
    const { cipher, keys } = deriveDirection(this.exchange, this.#sessionId, "server-to-client");
    this.#opener = cipher.createOpener(keys);
    if (this.#decompressor !== undefined) this.#decompressor = zlib().createDecompressor();
    if (this.#strict) this.#receivedPackets = 0;
  }
}

function zlib() {
  const algorithm = compressionAlgorithms.get("zlib@openssh.com");
  if (algorithm === undefined) throw new Error("no compression");
  return algorithm;
}
