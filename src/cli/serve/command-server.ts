import { isUtf8 } from "node:buffer";
import type { PKey } from "../../crypto/index.js";
import {
  type AuthDecision,
  type Channel,
  type Connection,
  loggedPath,
  type ProbeCommand,
  parseProbeCommand,
  parseSCPCommand,
  SSHServer,
} from "../../index.js";
import type { AuthResult } from "../../protocol/constants.js";
import { channelOrigin } from "./channel-origin.js";
import type { DeclaredForwarding } from "./forwarding.js";
import type { Log } from "./log.js";
import type { Programs } from "./programs.js";
import type { ServedFolder } from "./served-folder.js";
import type { Users } from "./users.js";

export interface CommandServerOptions {
  readonly users: Users;
  readonly logger: Log;
  /** The folder that SFTP and scp reach. */
  readonly folder?: ServedFolder | undefined;
  /** Runs programs; when absent, commands are only repeated, or refused beside a folder of the disk. */
  readonly programs?: Programs | undefined;
  /** Nothing is forwarded when absent. */
  readonly forwarding?: DeclaredForwarding | undefined;
}

/** The hooks of `spindlex serve`: its users, session channels, files, commands. */
export class CommandServer extends SSHServer {
  readonly #users: Users;
  readonly #logger: Log;
  readonly #folder: ServedFolder | undefined;
  readonly #programs: Programs | undefined;

  constructor({ users, logger, folder, programs, forwarding }: CommandServerOptions) {
    super(forwarding && { forwarding: forwarding.forwarding, authentication: { permissions: forwarding.permissions } });
    this.#users = users;
    this.#logger = logger;
    this.#folder = folder;
    this.#programs = programs;
  }

  override getAllowedAuths(): string[] {
    return this.#users.methods;
  }

  override checkAuthPassword(username: string, password: string, connection: Connection): Promise<AuthResult> {
    return this.#users.checkPassword(username, password, connection);
  }

  override checkAuthPublickey(...parameters: Parameters<SSHServer["checkAuthPublickey"]>): Promise<AuthDecision> {
    return this.#users.checkKey(...parameters);
  }

  override checkKeyRevoked(key: PKey): Promise<boolean> {
    return this.#users.isRevoked(key);
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string): boolean {
    return /^(LANG|LC_[A-Z]{1,32})$/.test(name);
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean | Promise<boolean> {
    const scpCommand = this.#folder && parseSCPCommand(command);
    if (this.#folder !== undefined && scpCommand !== undefined) {
      this.#logger.info(
        { ...channelOrigin(channel), paths: scpCommand.paths.map(loggedPath) },
        `scp ${scpCommand.role}`,
      );
      return this.#folder.serveSCP(channel, scpCommand);
    }
    const text = decodeCommand(command);
    if (text === undefined) return false;
    this.#logger.info({ ...channelOrigin(channel), command: loggedPath(text) }, "command");
    const probe = this.#probe(channel, command);
    if (this.#folder !== undefined && probe !== undefined) return this.#folder.serveProbe(channel, probe);
    if (this.#programs?.commands) this.#programs.runCommand(channel, text);
    else if (this.#folder?.kind === "disk") refuse(channel, ONLY_FILES);
    else answer(channel, `Executed: ${text}`, 0);
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    this.#logger.info(channelOrigin(channel), "shell");
    if (this.#programs?.shells) this.#programs.runShell(channel);
    else if (this.#folder?.kind === "disk") refuse(channel, ONLY_FILES);
    else answer(channel, "There is no shell here: spindlex runs without --shell.", 1);
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean | Promise<boolean> {
    if (this.#folder === undefined || name !== "sftp") return false;
    this.#logger.info(channelOrigin(channel), "sftp");
    return this.#folder.serveSFTP(channel);
  }

  /**
   * Clients ask about the files that they have uploaded: the same command in the shell of this machine
   * would answer for another tree. At a terminal it is a person who asks.
   */
  #probe(channel: Channel, command: Buffer): ProbeCommand | undefined {
    return this.#folder?.kind === "disk" && channel.pty === undefined ? parseProbeCommand(command) : undefined;
  }
}

const ONLY_FILES = "This server offers SFTP and scp, and md5sum, sha1sum, sha256sum, df, pwd and echo of plain words.";

/** A command is run as it was sent or not at all: a shell takes no command that is not text, or holds a NUL. */
function decodeCommand(command: Buffer): string | undefined {
  if (!isUtf8(command) || command.includes(0)) return undefined;
  return command.toString("utf8");
}

function answer(channel: Channel, text: string, exitStatus: number): void {
  channel.send(line(channel, text));
  end(channel, exitStatus);
}

function refuse(channel: Channel, text: string): void {
  channel.sendStderr(line(channel, text));
  end(channel, 1);
}

function line({ pty }: Channel, text: string): string {
  return pty === undefined ? `${text}\n` : `${text}\r\n`;
}

function end(channel: Channel, exitStatus: number): void {
  channel.sendExitStatus(exitStatus);
  channel.close();
}
