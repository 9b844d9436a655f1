import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { PKey } from "../../../../src/crypto/index.js";
import { type Channel, type Prompt, SFTPServer, SSHServer, SSHServerManager } from "../../../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../../../../src/protocol/constants.js";
import { SshdOracle, type SshdVersion } from "../../../support/sshd-oracle.js";
import { withoutAdmission } from "../../../support/without-admission.js";
import type { ComparedServer } from "./peer.js";
import { PROGRAMS } from "./stages.js";

/** The user who logs in to both, by the one key. */
const { username } = userInfo();
const key = PKey.generate({ keyType: "ed25519" });

/** Both have these methods of key exchange; an ordinary client of this test begins with the first, too. */
const METHODS = [
  "curve25519-sha256",
  "ecdh-sha2-nistp256",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group-exchange-sha256",
];

/** A server that is stopped with its scope. */
export interface RunningServer extends ComparedServer, AsyncDisposable {}

/** @param pam whether passwords, and dialogues, are left to PAM: logins take longer by it, and programs to start */
export async function startSshd(parent: string, version: SshdVersion, pam: "yes" | "no"): Promise<RunningServer> {
  const folder = await sftpFolder(parent);
  const sshd = await SshdOracle.start(parent, version, [
    "AcceptEnv *",
    "DisableForwarding yes",
    `KexAlgorithms ${METHODS.join(",")}`,
    "KbdInteractiveAuthentication yes",
    "PasswordAuthentication yes",
    "PrintLastLog no",
    "PrintMotd no",
    `Subsystem sftp internal-sftp -d ${folder}`,
    `UsePAM ${pam}`,
  ]);
  const port = await sshd.serve({ authorizedKeys: `${key.toPublicString()}\n` });
  return { port, username, key, [Symbol.asyncDispose]: async () => sshd[Symbol.dispose]() };
}

export async function startOurs(parent: string): Promise<RunningServer> {
  const manager = new SSHServerManager({
    serverInterface: new OddServer(await sftpFolder(parent)),
    serverKey: PKey.generate({ keyType: "ed25519" }),
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
    algorithms: { kex: METHODS },
    authFailureDelay: 0,
    maxAuthTries: 100,
    ...withoutAdmission,
  });
  await manager.startServer();
  const { port } = manager;
  return { port, username, key, [Symbol.asyncDispose]: () => manager.stopServer({ gracePeriod: 0 }) };
}

/** What SFTP finds where it begins. */
async function sftpFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, "files-"));
  mkdirSync(join(folder, "directory"));
  writeFileSync(join(folder, "file"), "0123456789");
  return folder;
}

/** Allows what sshd allows as it is set up above. */
class OddServer extends SSHServer {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override getAllowedAuths(): string[] {
    return ["publickey", "password", "keyboard-interactive"];
  }

  override checkAuthPublickey(name: string, offered: PKey): typeof AUTH_SUCCESSFUL | typeof AUTH_FAILED {
    return name === username && offered.equals(key) ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override async checkAuthKeyboardInteractive(
    _username: string,
    _submethods: string,
    prompt: Prompt,
  ): Promise<typeof AUTH_FAILED> {
    await prompt({ prompts: [{ prompt: "Password: ", echo: false }] });
    return AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelEnvRequest(): boolean {
    return true;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const line = command.toString();
    if (line === PROGRAMS.echo) void echo(channel);
    else if (line !== PROGRAMS.deaf) finish(channel, line === PROGRAMS.alive ? "alive\n" : "");
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    void echo(channel);
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: this.#folder });
    return true;
  }
}

async function echo(channel: Channel): Promise<void> {
  const { signal } = channel;
  try {
    for await (const chunk of channel) if (!channel.write(chunk)) await once(channel, "drain", { signal });
    finish(channel, "");
  } catch {
    // The channel is closed, and nobody waits for its end.
  }
}

function finish(channel: Channel, output: string): void {
  channel.send(output);
  channel.sendExitStatus(0);
  channel.close();
}
