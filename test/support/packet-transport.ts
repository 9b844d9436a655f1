import { atOnce } from "../../src/base/time-slices.js";
import { noneOpener, noneSealer } from "../../src/crypto/cipher/none.js";
import type { PacketOpener, PacketSealer } from "../../src/crypto/cipher/packet-cipher.js";
import type { Compressor, Decompressor } from "../../src/crypto/compression/compression.js";
import { compressionAlgorithms } from "../../src/crypto/compression/registry.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { MAX_PACKET_LENGTH, MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { startClient } from "./kex-client.js";
import { type PacketShape, sealPacket } from "./packet-framing.js";
import { type Agreement, agree, deriveDirection, type Exchange, hashExchange } from "./packet-keys.js";
import * as messages from "./packet-messages.js";
import { type PacketSocket, StreamEnded } from "./packet-socket.js";

const STRICT_CLIENT = "kex-strict-c-v00@openssh.com";
const STRICT_SERVER = "kex-strict-s-v00@openssh.com";
const EXT_INFO_CLIENT = "ext-info-c";

export interface PacketClientOptions {
  /** Sent as it is, line end included. */
  readonly identification?: string;
  readonly kex?: readonly string[];
  /** Markers among the key exchange methods: strict key exchange and extension info unless told otherwise. */
  readonly markers?: readonly string[];
  readonly hostKey?: readonly string[];
  readonly cipher?: readonly string[];
  readonly mac?: readonly string[];
  readonly compression?: readonly string[];
  /** Whether `nextPacket` gives the announcement of host keys, which comes after each login, or passes it over. */
  readonly hostKeys?: "given" | "passed-over";
  /** Milliseconds after which any wait fails. */
  readonly timeout?: number;
  /** That the server sees the client at: one of 127.0.0.0/8. */
  readonly localAddress?: string;
}

export const defaults = {
  identification: "SSH-2.0-packet_client\r\n",
  kex: ["curve25519-sha256"],
  markers: [EXT_INFO_CLIENT, STRICT_CLIENT],
  hostKey: ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"],
  cipher: ["aes128-gcm@openssh.com"],
  mac: ["hmac-sha2-256-etm@openssh.com"],
  compression: ["none"],
  hostKeys: "passed-over",
  timeout: 10_000,
  localAddress: "127.0.0.1",
} as const satisfies PacketClientOptions;

/** Packets that a flood hands to the socket together. */
const PACKETS_AT_ONCE = 256;

/** Bytes that a flood leaves waiting in the socket. */
const MAX_HELD = 128 * 1024;

/** What a wait for another message fails with when DISCONNECT comes. */
export class Disconnected extends Error {
  override readonly name = "Disconnected";
  readonly disconnect: messages.Disconnect;

  constructor(payload: Buffer) {
    const disconnect = messages.readDisconnect(payload);
    super(`DISCONNECT (${disconnect.reason}, "${disconnect.message}")`);
    this.disconnect = disconnect;
  }
}

/** How a connection ended, and what came before. */
export interface Ending {
  /** `undefined` when the connection ended without one. */
  readonly disconnect: messages.Disconnect | undefined;
  /** Payloads that came before the end. */
  readonly payloads: readonly Buffer[];
}

/**
 * A client's packets and key exchanges, one step per call: between any two of them anything may be sent, under the
 * keys of that moment.
 */
export class PacketTransport {
  readonly stream: PacketSocket;
  readonly #options: Required<PacketClientOptions>;
  #identification: Buffer;
  #serverIdentification = Buffer.alloc(0);
  #clientKexInit: Buffer | undefined;
  #serverKexInit: Buffer | undefined;
  #exchange: Exchange | undefined;
  #sessionId: Buffer | undefined;
  #strict = false;
  #authenticated = false;
  #sealer: PacketSealer = noneSealer;
  #opener: PacketOpener = noneOpener;
  #compressor: Compressor | undefined;
  #decompressor: Decompressor | undefined;
  #sent = 0;
  #received = 0;
  /** The packet that is being received, once its length is known. */
  #incomingLength: number | undefined;
  readonly #setAside: Buffer[] = [];

  protected constructor(stream: PacketSocket, options: Required<PacketClientOptions>) {
    this.stream = stream;
    this.#options = options;
    this.#identification = Buffer.from(options.identification.replace(/\r?\n$/, ""), "latin1");
  }

  /** What the two sides agreed on in the last key exchange. */
  get agreement(): Agreement {
    return this.#current().agreement;
  }

  get sessionId(): Buffer {
    if (this.#sessionId === undefined) throw new Error("no key exchange yet");
    return this.#sessionId;
  }

  /** The server's public host key, as it stands in the key exchange. */
  get hostKeyBlob(): Buffer {
    return this.#current().hostKey;
  }

  /** The server's identification without its line end. */
  get serverIdentification(): string {
    return this.#serverIdentification.toString("latin1");
  }

  /** The server's last KEXINIT. */
  get serverKexInit(): messages.KexInit {
    if (this.#serverKexInit === undefined) throw new Error("no KEXINIT from the server yet");
    return messages.readKexInit(this.#serverKexInit);
  }

  /** Sequence number of the packet sent last. */
  get lastSequenceNumber(): number {
    return (this.#sent - 1) >>> 0;
  }

  /** Breaks the count of packets sent: the next one has this number. */
  continueCountingFrom(sequenceNumber: number): void {
    this.#sent = sequenceNumber;
  }

  /** What protects the packets that are sent now. */
  get sealer(): PacketSealer {
    return this.#sealer;
  }

  /** Bytes that this side accepted but the socket did not take yet. */
  get unsentBytes(): number {
    return this.stream.socket.writableLength;
  }

  // --- bytes and packets

  /** Sends bytes outside of any packet. */
  sendRaw(bytes: Uint8Array | string): void {
    this.stream.socket.write(bytes);
  }

  /** Sends one packet under the keys of this moment; `shape` makes it lie. */
  sendPacket(payload: Uint8Array, shape: PacketShape = {}): void {
    const body = this.#compressor ? this.#compressor.compress(Buffer.from(payload)) : payload;
    this.sendUncompressed(body, shape);
  }

  /** Sends one packet past the compression. */
  sendUncompressed(payload: Uint8Array, shape: PacketShape = {}): void {
    this.sendRaw(sealPacket(this.#sealer, this.#sent, payload, shape));
    this.#sent = (this.#sent + 1) >>> 0;
  }

  /**
   * Sends packets until `count` are sent, the server ends the connection, or it has taken no byte for `idle`
   * milliseconds. Holds little more of them back than the socket does. Returns how many were sent.
   */
  async flood(packet: () => Uint8Array, count: number, idle = 1_000): Promise<number> {
    const { socket } = this.stream;
    for (let sent = 0; sent < count; ) {
      if (!socket.writable) return sent;
      socket.cork();
      for (
        const end = Math.min(sent + PACKETS_AT_ONCE, count);
        sent < end && socket.writableLength < MAX_HELD;
        sent++
      ) {
        this.sendPacket(packet());
      }
      socket.uncork();
      // A server in this process gets its turn.
      await new Promise(setImmediate);
      const room = () => socket.writableLength < MAX_HELD || socket.destroyed;
      if (!(await this.stream.until(room, "room to send", idle).then(succeeded, failed))) return sent;
    }
    return count;
  }

  /** The payload of the next packet, whatever it is but the announcement of host keys. */
  async nextPacket(timeout = this.#options.timeout): Promise<Buffer> {
    for (;;) {
      const payload = this.#setAside.shift() ?? (await this.#readPacket(timeout));
      if (this.#options.hostKeys === "given" || !announcesHostKeys(payload)) return payload;
    }
  }

  /**
   * The payload of the next packet, which must have this number. IGNORE, DEBUG, EXT_INFO, banners and the announcement
   * of host keys are passed over, and what `skip` names too.
   */
  async expect(number: number, { skip = [] }: { readonly skip?: readonly number[] } = {}): Promise<Buffer> {
    for (;;) {
      const payload = await this.nextPacket();
      if (payload[0] === number) return payload;
      if (payload[0] === MessageNumber.DISCONNECT) throw new Disconnected(payload);
      if (!isChatter(payload) && !skip.includes(payload[0] ?? -1)) {
        throw new Error(`message ${payload[0]} came where message ${number} was expected`);
      }
    }
  }

  /** Reads until the connection is closed; fails when it stays open. */
  async waitEnd(timeout = this.#options.timeout): Promise<Ending> {
    const payloads: Buffer[] = [];
    const deadline = Date.now() + timeout;
    let disconnect: messages.Disconnect | undefined;
    this.resumeReading();
    try {
      while (disconnect === undefined) {
        const payload = await this.nextPacket(Math.max(1, deadline - Date.now()));
        if (payload[0] === MessageNumber.DISCONNECT) disconnect = messages.readDisconnect(payload);
        else payloads.push(payload);
      }
    } catch (error) {
      if (!(error instanceof StreamEnded)) throw error;
    }
    await this.stream.closed(Math.max(1, deadline - Date.now()));
    return { disconnect, payloads };
  }

  /** Reads until DISCONNECT, which must come. */
  async waitDisconnect(): Promise<messages.Disconnect> {
    const { disconnect } = await this.waitEnd();
    if (disconnect === undefined) throw new Error("the connection ended without DISCONNECT");
    return disconnect;
  }

  /** Takes no more bytes from the network. */
  stopReading(): void {
    this.stream.socket.pause();
  }

  resumeReading(): void {
    this.stream.socket.resume();
  }

  /** Ends the connection with a FIN and waits until both sides are closed. */
  async close(): Promise<void> {
    this.stream.socket.end();
    await this.stream.closed();
  }

  /** Ends the connection with a RST; where its end is under way already, that is hurried. */
  reset(): void {
    const { socket } = this.stream;
    // Node.js 20 cannot reset a socket that is shutting down, and loses its handle when it tries.
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  }

  // --- identification and key exchange

  async exchangeIdentifications(): Promise<void> {
    this.sendRaw(Buffer.from(this.#options.identification, "latin1"));
    await this.readIdentification();
  }

  async readIdentification(): Promise<void> {
    const line: number[] = [];
    while (line.at(-1) !== 0x0a) line.push(...(await this.stream.take(1)));
    this.#serverIdentification = Buffer.from(Buffer.from(line).toString("latin1").trimEnd(), "latin1");
  }

  /** A whole key exchange: the first one or, on a running connection, a new one. */
  async exchangeKeys(): Promise<void> {
    this.sendKexInit();
    await this.readServerKexInit();
    await this.agreeOnKeys();
    this.sendNewKeys();
  }

  /** This client's KEXINIT, with some fields different from what its options say. */
  sendKexInit(change: Partial<messages.KexInit> = {}): void {
    this.sendKexInitPayload(this.kexInit(change));
  }

  /** The payload of this client's next KEXINIT. */
  kexInit(change: Partial<messages.KexInit> = {}): Buffer {
    return messages.writeKexInit({ ...this.#ownKexInit(), ...change });
  }

  /** Sends any payload as this side's KEXINIT. */
  sendKexInitPayload(payload: Buffer): void {
    this.#clientKexInit = payload;
    this.sendPacket(payload);
  }

  /** Waits for the server's KEXINIT; messages that it sent before are kept for `nextPacket`. */
  async readServerKexInit(): Promise<messages.KexInit> {
    this.acceptServerKexInit(await this.#nextKeeping(is(MessageNumber.KEXINIT), () => true));
    return this.serverKexInit;
  }

  /** Takes a KEXINIT that came through `nextPacket`. */
  acceptServerKexInit(payload: Buffer): void {
    this.#serverKexInit = payload;
  }

  /** The method's own messages, up to the server's NEWKEYS; its keys hold from there on. */
  async agreeOnKeys(): Promise<void> {
    const agreement = this.#negotiate();
    const method = startClient(agreement.kex);
    this.sendPacket(method.init);
    let reply = await this.#nextKexMessage();
    if (method.answerGroup !== undefined) {
      this.sendPacket(method.answerGroup(reply));
      reply = await this.#nextKexMessage();
    }
    this.#exchange = hashExchange({
      agreement,
      clientIdentification: this.#identification,
      serverIdentification: this.#serverIdentification,
      clientKexInit: this.#clientKexInit ?? Buffer.alloc(0),
      serverKexInit: this.#serverKexInit ?? Buffer.alloc(0),
      result: method.finish(reply),
    });
    const { hostKey, hash, signature } = this.#exchange;
    if (!PKey.fromBlob(hostKey).verify(hash, signature, agreement.hostKey))
      throw new Error("the host key is not proven");
    await this.#nextKeeping(is(MessageNumber.NEWKEYS), is(MessageNumber.UNIMPLEMENTED));
    this.#sessionId ??= this.#exchange.hash;
    const { cipher, keys } = deriveDirection(this.#exchange, this.#sessionId, "server-to-client");
    this.#opener = cipher.createOpener(keys);
    if (this.#authenticated) this.#startDecompressing();
    if (this.#strict) this.#received = 0;
  }

  /** This side's NEWKEYS; the new keys hold from there on. */
  sendNewKeys(): void {
    this.sendPacket(messages.message(MessageNumber.NEWKEYS));
    const { cipher, keys } = deriveDirection(this.#current(), this.sessionId, "client-to-server");
    this.#sealer = cipher.createSealer(keys);
    if (this.#authenticated) this.#startCompressing();
    if (this.#strict) this.#sent = 0;
  }

  #ownKexInit(): messages.KexInit {
    const { kex, markers, hostKey, cipher, mac, compression } = this.#options;
    return {
      cookie: messages.freshCookie(),
      kex: this.#sessionId === undefined ? [...kex, ...markers] : kex,
      hostKey,
      cipherClientToServer: cipher,
      cipherServerToClient: cipher,
      macClientToServer: mac,
      macServerToClient: mac,
      compressionClientToServer: compression,
      compressionServerToClient: compression,
      firstKexPacketFollows: false,
    };
  }

  #negotiate(): Agreement {
    if (this.#clientKexInit === undefined) throw new Error("no KEXINIT sent yet");
    const client = messages.readKexInit(this.#clientKexInit);
    const server = this.serverKexInit;
    if (this.#sessionId === undefined) {
      this.#strict = client.kex.includes(STRICT_CLIENT) && server.kex.includes(STRICT_SERVER);
    }
    return agree(client, server);
  }

  async #nextKexMessage(): Promise<Buffer> {
    const { KEX_FIRST, KEX_LAST } = MessageNumber;
    return this.#nextKeeping((number) => number >= KEX_FIRST && number <= KEX_LAST, is(MessageNumber.UNIMPLEMENTED));
  }

  /** The next message from the wire that is wanted; those before it must be `kept`, and wait for `nextPacket`. */
  async #nextKeeping(wanted: (number: number) => boolean, kept: (number: number) => boolean): Promise<Buffer> {
    for (;;) {
      const payload = await this.#readPacket(this.#options.timeout);
      const number = payload[0] ?? -1;
      if (wanted(number)) return payload;
      if (number === MessageNumber.DISCONNECT) throw new Disconnected(payload);
      if (!kept(number)) throw new Error(`message ${number} came inside the key exchange`);
      this.#setAside.push(payload);
    }
  }

  #current(): Exchange {
    if (this.#exchange === undefined) throw new Error("no key exchange yet");
    return this.#exchange;
  }

  async #readPacket(timeout: number): Promise<Buffer> {
    const { tagLength, headerLength } = this.#opener;
    if (this.#incomingLength === undefined) {
      const length = this.#opener.readLength(await this.stream.peek(headerLength, timeout), this.#received);
      if (length > MAX_PACKET_LENGTH) throw new Error(`the server sent a packet of ${length} bytes`);
      this.#incomingLength = length;
    }
    const packet = await this.stream.take(4 + this.#incomingLength + tagLength, timeout);
    this.#incomingLength = undefined;
    const body = this.#opener.open(Buffer.from(packet), this.#received);
    this.#received = (this.#received + 1) >>> 0;
    const compressed = body.subarray(1, body.length - (body[0] ?? 0));
    const inflating = this.#decompressor?.decompress(compressed, MAX_PACKET_LENGTH);
    const payload = inflating === undefined ? compressed : atOnce(inflating);
    if (payload[0] === MessageNumber.USERAUTH_SUCCESS && !this.#authenticated) {
      this.#authenticated = true;
      this.#startCompressing();
      this.#startDecompressing();
    }
    return payload;
  }

  /** Each direction's compression starts with authentication and anew with each of its NEWKEYS (RFC 4253 §6.2). */
  #startCompressing(): void {
    this.#compressor = compressionAlgorithms.get(this.agreement.compressionClientToServer)?.createCompressor();
  }

  #startDecompressing(): void {
    this.#decompressor = compressionAlgorithms.get(this.agreement.compressionServerToClient)?.createDecompressor();
  }
}

/** What a server may send at any time and most tests do not look at. */
export function isChatter(payload: Buffer): boolean {
  switch (payload[0]) {
    case MessageNumber.IGNORE:
    case MessageNumber.DEBUG:
    case MessageNumber.EXT_INFO:
    case MessageNumber.USERAUTH_BANNER:
      return true;
    default:
      return announcesHostKeys(payload);
  }
}

function announcesHostKeys(payload: Buffer): boolean {
  return payload[0] === MessageNumber.GLOBAL_REQUEST && new Reader(payload, 1).readText() === "hostkeys-00@openssh.com";
}

const succeeded = (): boolean => true;
const failed = (): boolean => false;

const is =
  (wanted: number) =>
  (number: number): boolean =>
    number === wanted;
