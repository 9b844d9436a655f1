import type { HostKey } from "../../../../src/crypto/pkey/host-key.js";
import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { Reader } from "../../../../src/protocol/reader.js";
import { type OpenedChannel, PacketClient } from "../../../support/packet-client.js";
import * as messages from "../../../support/packet-messages.js";
import { StreamEnded } from "../../../support/packet-socket.js";
import { isChatter, type PacketClientOptions } from "../../../support/packet-transport.js";
import { type Reply, readReply } from "../../../support/sftp-packets.js";

/** A server that the odd inputs are sent to. */
export interface ComparedServer {
  readonly port: number;
  readonly username: string;
  readonly key: HostKey;
}

/** The server has sent DISCONNECT, whatever is in it: sshd repeats there what was wrong, byte for byte. */
export class ServerDisconnected extends Error {
  override readonly name = "ServerDisconnected";
}

/** Milliseconds after which a wait fails: neither an answer nor an end. */
const TIMEOUT = 10_000;

/** This side's number of the channel that no server opens. */
const PROBE_CHANNEL = 0x7070;

/** A client of a compared server that notes what it is sent. */
export class Peer {
  readonly client: PacketClient;
  readonly server: ComparedServer;
  /** What came while something else was waited for, channel data aside. */
  readonly answers: Buffer[] = [];
  readonly sftpReplies: Reply[] = [];
  /** Output of the program on the channel. */
  output: Buffer = Buffer.alloc(0);
  /** The channel comes to its end in the ordinary way. */
  mayClose = false;
  #channel: OpenedChannel | undefined;

  private constructor(client: PacketClient, server: ComparedServer) {
    this.client = client;
    this.server = server;
  }

  static async connect(server: ComparedServer, options: PacketClientOptions = {}): Promise<Peer> {
    return new Peer(await PacketClient.connect(server.port, { timeout: TIMEOUT, ...options }), server);
  }

  /** The channel that was opened last. */
  get channel(): OpenedChannel {
    if (this.#channel === undefined) throw new Error("no channel is open");
    return this.#channel;
  }

  /** The server's number of it. */
  get id(): number {
    return this.channel.id;
  }

  send(...payloads: readonly Uint8Array[]): void {
    for (const payload of payloads) this.client.sendPacket(payload);
  }

  /** Sends a message and waits for one with this number. */
  async ask(payload: Uint8Array, answer: number): Promise<Buffer> {
    this.send(payload);
    return this.until(([number]) => number === answer);
  }

  /** Reads until a message is wanted; notes the others. */
  async until(wanted: (payload: Buffer) => boolean): Promise<Buffer> {
    for (;;) {
      const payload = await this.#next();
      if (wanted(payload)) return payload;
      this.#note(payload);
    }
  }

  /** Forgets what came so far. */
  forget(): void {
    this.answers.length = 0;
    this.sftpReplies.length = 0;
    this.output = Buffer.alloc(0);
  }

  /** Reads output until there is what is wanted. */
  async untilOutput(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      const payload = await this.until(([number]) => number === M.CHANNEL_DATA || number === M.CHANNEL_CLOSE);
      this.#note(payload);
      if (payload[0] === M.CHANNEL_CLOSE) return;
    }
  }

  /** Reads until the connection ends, which throws. */
  async untilEnd(): Promise<void> {
    await this.until(() => false);
  }

  async logIn(): Promise<void> {
    const { username, key } = this.server;
    const algorithm = key.signatureAlgorithms[0] ?? key.keyType;
    const request = { username, algorithm, publicBlob: key.publicBlob };
    const signature = await key.sign(messages.publickeySignedData(this.client.sessionId, request), algorithm);
    await this.ask(messages.publickeyProof(request, signature), M.USERAUTH_SUCCESS);
  }

  async openSession(open: messages.ChannelOpen = {}): Promise<void> {
    this.#channel = await this.client.openSession(open);
  }

  async exec(command: string): Promise<void> {
    await this.ask(messages.execRequest(this.id, command), M.CHANNEL_SUCCESS);
  }

  async startSFTP(): Promise<void> {
    const name = Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from("sftp")]);
    await this.ask(messages.channelRequest(this.id, "subsystem", "want-reply", name), M.CHANNEL_SUCCESS);
  }

  sendSFTP(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.send(messages.channelData(this.id, packet));
  }

  /** Reads what the server of SFTP still has to say until it ends the session. */
  async untilSessionEnd(): Promise<void> {
    this.mayClose = true;
    await this.untilOutput(() => false);
    this.#cutReplies();
  }

  /** Reads until a reply of SFTP is wanted, or the session ends. */
  async untilSFTP(wanted: (reply: Reply) => boolean): Promise<Reply | undefined> {
    await this.untilOutput(() => this.findSFTP(wanted) !== undefined);
    return this.findSFTP(wanted);
  }

  /** Looks for a reply of SFTP among those that came. */
  findSFTP(wanted: (reply: Reply) => boolean): Reply | undefined {
    this.#cutReplies();
    return this.sftpReplies.find(wanted);
  }

  /** The server has closed the channel. */
  get channelClosed(): boolean {
    return this.answers.some(([number]) => number === M.CHANNEL_CLOSE);
  }

  /**
   * Asks twice for a channel that no server opens: whatever is answered at all is answered by then, and the connection is
   * known to go on.
   */
  async probe(): Promise<void> {
    const request = messages.channelOpen({ kind: "probe@spindlex", senderChannel: PROBE_CHANNEL });
    for (let round = 0; round < 2; round++) {
      this.send(request);
      await this.until(
        (payload) => payload[0] === M.CHANNEL_OPEN_FAILURE && messages.recipientChannel(payload) === PROBE_CHANNEL,
      );
    }
  }

  async #next(): Promise<Buffer> {
    const payload = await this.client.nextPacket();
    if (payload[0] === M.DISCONNECT) throw new ServerDisconnected();
    return payload;
  }

  #note(payload: Buffer): void {
    if (payload[0] === M.CHANNEL_DATA) this.output = Buffer.concat([this.output, messages.readChannelData(payload)]);
    else if (payload[0] === M.CHANNEL_CLOSE && this.mayClose) return;
    else if (!isChatter(payload)) this.answers.push(payload);
  }

  #cutReplies(): void {
    while (this.output.length >= 4) {
      const length = 4 + new Reader(this.output).readUint32();
      if (this.output.length < length) return;
      this.sftpReplies.push(readReply(this.output.subarray(0, length)));
      this.output = this.output.subarray(length);
    }
  }
}

/** Fails where sshd says in plain text, behind its identification, why it takes no client like this one. */
export async function expectPackets({ stream }: PacketClient): Promise<void> {
  const start = await stream.peek(4);
  if (/^[A-Z][a-z]{3}/.test(start.toString("latin1"))) throw new StreamEnded("the server ends with a text");
}
