import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { anyOf } from "../../../../src/authenticators/any-of.js";
import { authorizedKeys, type PublicKeyHook } from "../../../../src/authenticators/authorized-keys/authorized-keys.js";
import { revokedKeys } from "../../../../src/authenticators/revoked-keys.js";
import { trustedUserCAs } from "../../../../src/authenticators/trusted-user-cas.js";
import type { PKey } from "../../../../src/crypto/index.js";
import { type Channel, SSHServer } from "../../../../src/index.js";
import { MessageNumber } from "../../../../src/protocol/constants.js";
import { Writer } from "../../../../src/protocol/writer.js";
import { PacketClient } from "../../../support/packet-client.js";
import * as messages from "../../../support/packet-messages.js";
import type { SshdFiles } from "../../../support/sshd-oracle.js";
import type { Credential } from "./keygen-keys.js";
import { USER } from "./login-case.js";

/** What a user who is let in can do. */
export interface Abilities {
  /** The output of `echo asked`, or of what is forced in its place. */
  readonly output: string | undefined;
  readonly pty: boolean;
  readonly connect: boolean;
  readonly listen: boolean;
}

/** A server of ours that reads what sshd reads, and allows what the permissions leave. */
export class ComparedServer extends SSHServer {
  readonly #folder: string;
  #publicKey: PublicKeyHook = anyOf();
  #revoked: (key: PKey) => Promise<boolean> = async () => true;
  #lists = 0;

  constructor(folder: string) {
    super({
      authentication: {
        publicKey: (...parameters) => this.#publicKey(...parameters),
        revokedKeys: (key) => this.#revoked(key),
      },
    });
    this.#folder = folder;
  }

  declare(files: SshdFiles): void {
    const {
      authorizedKeys: keys = "",
      trustedUserCAKeys = "",
      authorizedPrincipals,
      revokedKeys: revoked = "",
    } = files;
    const principals = authorizedPrincipals === undefined ? {} : { principals: () => authorizedPrincipals };
    this.#publicKey = anyOf(
      trustedUserCAs(() => trustedUserCAKeys, principals),
      authorizedKeys(() => keys),
    );
    const file = join(this.#folder, `revoked-${this.#lists++}`);
    writeFileSync(file, revoked);
    this.#revoked = revokedKeys({ file });
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? 0 : 2;
  }

  override checkPortForwardRequest(): number {
    return 4711;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    channel.send(`${command}`.replace(/^echo /, ""));
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

/** Asks for the login and signs it. @returns the server's answer */
export async function prove(client: PacketClient, { algorithm, publicBlob, sign }: Credential): Promise<Buffer> {
  const request = { username: USER, algorithm, publicBlob };
  const signature = await sign(messages.publickeySignedData(client.sessionId, request));
  return client.authenticate(messages.publickeyProof(request, signature));
}

/** Tries the login at a server of ours. @returns the client that is logged in */
export async function proveOnce(port: number, credential: Credential): Promise<PacketClient | undefined> {
  const client = await PacketClient.authenticating(port);
  const [answer] = await prove(client, credential);
  if (answer === MessageNumber.USERAUTH_SUCCESS) return client;
  client.stream.socket.destroy();
  if (answer === MessageNumber.USERAUTH_FAILURE) return undefined;
  throw new Error(`the server answers with message ${answer}`);
}

const ADMINISTRATIVELY_PROHIBITED = 1;

/** Finds out what a logged-in client can do. */
export async function abilitiesOf(client: PacketClient): Promise<Abilities> {
  const listen = await mayListen(client);
  const connect = await mayConnect(client);
  const channel = await client.openSession();
  const terminal = new Writer().writeString("xterm");
  for (const size of [80, 24, 0, 0]) terminal.writeUint32(size);
  const pty = await granted(
    client,
    messages.channelRequest(channel.id, "pty-req", "want-reply", terminal.writeString("").toBuffer()),
  );
  const runs = await granted(client, messages.execRequest(channel.id, "echo asked"));
  const output = runs ? linesOf((await client.readProgram(channel)).stdout) : undefined;
  return { output, pty, connect, listen };
}

/** On a terminal sshd tells what it does, too. */
function linesOf(output: Buffer): string {
  const lines = output.toString().split(/[\r\n]+/);
  return lines
    .filter((line) => !line.startsWith("debug1: "))
    .join("\n")
    .trim();
}

async function granted(client: PacketClient, request: Buffer): Promise<boolean> {
  client.sendPacket(request);
  const { CHANNEL_SUCCESS, CHANNEL_FAILURE, CHANNEL_WINDOW_ADJUST } = MessageNumber;
  return oneOf(client, CHANNEL_SUCCESS, CHANNEL_FAILURE, CHANNEL_WINDOW_ADJUST);
}

/** Asks for a listener on a port that the server chooses. */
async function mayListen(client: PacketClient): Promise<boolean> {
  const body = new Writer().writeString("127.0.0.1").writeUint32(0).toBuffer();
  client.sendPacket(messages.globalRequest("tcpip-forward", "want-reply", body));
  return oneOf(client, MessageNumber.REQUEST_SUCCESS, MessageNumber.REQUEST_FAILURE);
}

/** Asks for a connection to port 1 of this machine, where nothing listens. */
async function mayConnect(client: PacketClient): Promise<boolean> {
  const target = new Writer()
    .writeString("127.0.0.1")
    .writeUint32(1)
    .writeString("127.0.0.1")
    .writeUint32(4711)
    .toBuffer();
  client.sendPacket(Buffer.concat([messages.channelOpen({ kind: "direct-tcpip" }), target]));
  const { reason } = messages.readOpenFailure(await client.expect(MessageNumber.CHANNEL_OPEN_FAILURE));
  return reason !== ADMINISTRATIVELY_PROHIBITED;
}

async function oneOf(client: PacketClient, yes: number, no: number, skip = no): Promise<boolean> {
  for (;;) {
    const [number] = await client.nextPacket();
    if (number === yes) return true;
    if (number === no) return false;
    if (number !== skip && number !== MessageNumber.DEBUG) throw new Error(`message ${number} came as the answer`);
  }
}
