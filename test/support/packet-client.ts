import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import * as messages from "./packet-messages.js";
import { PacketSocket } from "./packet-socket.js";
import { Disconnected, defaults, isChatter, type PacketClientOptions, PacketTransport } from "./packet-transport.js";

/** A channel that the server confirmed. */
export interface OpenedChannel {
  /** The server's number, for `recipient channel`. */
  readonly id: number;
  /** Bytes that the server accepts. */
  readonly window: number;
  readonly maxPacket: number;
}

export interface ProgramOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitStatus: number | undefined;
}

/**
 * An SSH client that does nothing by itself: each step is a call, and between any two of them anything may be sent.
 * For tests of what a server does with peers that break the rules.
 */
export class PacketClient extends PacketTransport {
  /** Connects; nothing is sent or read. */
  static async connect(port: number | string, options: PacketClientOptions = {}): Promise<PacketClient> {
    const all = { ...defaults, ...options };
    return new PacketClient(await PacketSocket.connect(port, all.timeout, options.localAddress), all);
  }

  /** Connects and goes as far as both NEWKEYS. */
  static async handshake(port: number | string, options: PacketClientOptions = {}): Promise<PacketClient> {
    const client = await PacketClient.connect(port, options);
    await client.exchangeIdentifications();
    await client.exchangeKeys();
    return client;
  }

  /** Connects and asks for the authentication service. */
  static async authenticating(port: number | string, options: PacketClientOptions = {}): Promise<PacketClient> {
    const client = await PacketClient.handshake(port, options);
    await client.requestService("ssh-userauth");
    return client;
  }

  /** Connects and logs in by password. */
  static async login(
    port: number | string,
    username: string,
    password: string,
    options: PacketClientOptions = {},
  ): Promise<PacketClient> {
    const client = await PacketClient.authenticating(port, options);
    client.sendPacket(messages.passwordRequest(username, password));
    await client.expect(MessageNumber.USERAUTH_SUCCESS);
    return client;
  }

  /** Asks for a service and waits for its acceptance. */
  async requestService(name: string): Promise<void> {
    this.sendPacket(messages.serviceRequest(name));
    await this.expect(MessageNumber.SERVICE_ACCEPT);
  }

  /** Sends an authentication request and returns the answer: any message but a banner. */
  async authenticate(request: Buffer): Promise<Buffer> {
    this.sendPacket(request);
    for (;;) {
      const payload = await this.nextPacket();
      if (payload[0] === MessageNumber.DISCONNECT) throw new Disconnected(payload);
      if (!isChatter(payload)) return payload;
    }
  }

  authPassword(username: string, password: string): Promise<Buffer> {
    return this.authenticate(messages.passwordRequest(username, password));
  }

  /** Logs in by a key: the request and the signature that proves it. */
  async authPublickey(
    username: string,
    key: HostKey,
    signatureAlgorithm = key.signatureAlgorithms[0] ?? key.keyType,
  ): Promise<Buffer> {
    const request = { username, algorithm: signatureAlgorithm, publicBlob: key.publicBlob };
    const signature = await key.sign(messages.publickeySignedData(this.sessionId, request), signatureAlgorithm);
    return this.authenticate(messages.publickeyProof(request, signature));
  }

  /** Opens a session channel, which must be confirmed. */
  async openSession(open: messages.ChannelOpen = {}): Promise<OpenedChannel> {
    this.sendPacket(messages.channelOpen(open));
    const reader = new Reader(await this.expect(MessageNumber.CHANNEL_OPEN_CONFIRMATION), 5);
    return { id: reader.readUint32(), window: reader.readUint32(), maxPacket: reader.readUint32() };
  }

  /** Everything up to the server's CLOSE of the only open channel, which is answered: data, stderr and exit status. */
  async readProgram(channel: OpenedChannel): Promise<ProgramOutput> {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let exitStatus: number | undefined;
    for (;;) {
      const payload = await this.nextPacket();
      const reader = new Reader(payload, 5);
      switch (payload[0]) {
        case MessageNumber.CHANNEL_DATA:
          stdout.push(reader.readString());
          break;
        case MessageNumber.CHANNEL_EXTENDED_DATA:
          reader.readUint32();
          stderr.push(reader.readString());
          break;
        case MessageNumber.CHANNEL_REQUEST:
          if (reader.readText() === "exit-status") exitStatus = new Reader(payload, reader.offset + 1).readUint32();
          break;
        case MessageNumber.CHANNEL_CLOSE:
          this.sendPacket(messages.channelClose(channel.id));
          return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitStatus };
        case MessageNumber.DISCONNECT:
          throw new Disconnected(payload);
      }
    }
  }

  /** Opens a session, runs a command and returns all of its output. */
  async exec(command: string): Promise<ProgramOutput> {
    const channel = await this.openSession();
    this.sendPacket(messages.execRequest(channel.id, command));
    await this.expect(MessageNumber.CHANNEL_SUCCESS, { skip: [MessageNumber.CHANNEL_WINDOW_ADJUST] });
    return this.readProgram(channel);
  }
}
