import { isUtf8 } from "node:buffer";
import type { Logger } from "pino";
import type { PKey } from "../crypto/index.js";
import { type Channel, SSHServer } from "../index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_SUCCEEDED,
} from "../protocol/constants.js";
import type { Programs } from "./programs.js";
import { sameSecret } from "./secret.js";

/** How the one user logs in. */
export type Credentials =
  | { readonly method: "password"; readonly password: string }
  | { readonly method: "publickey"; readonly keys: readonly PKey[] };

export interface CommandServerOptions {
  readonly user: string;
  readonly credentials: Credentials;
  readonly logger: Logger;
  /** Runs commands; when absent they are only repeated. */
  readonly programs?: Programs;
}

/** The hooks of `spindlex serve`: one user, session channels, commands. */
export class CommandServer extends SSHServer {
  readonly #user: string;
  readonly #credentials: Credentials;
  readonly #logger: Logger;
  readonly #programs: Programs | undefined;

  constructor({ user, credentials, logger, programs }: CommandServerOptions) {
    super();
    this.#user = user;
    this.#credentials = credentials;
    this.#logger = logger;
    this.#programs = programs;
  }

  override getAllowedAuths(): string[] {
    return [this.#credentials.method];
  }

  override checkAuthPassword(username: string, password: string): AuthResult {
    if (this.#credentials.method !== "password") return AUTH_FAILED;
    const passwordIsRight = sameSecret(password, this.#credentials.password);
    return username === this.#user && passwordIsRight ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkAuthPublickey(username: string, key: PKey): AuthResult {
    if (this.#credentials.method !== "publickey" || username !== this.#user) return AUTH_FAILED;
    const isKnown = this.#credentials.keys.some((known) => known.publicBlob.equals(key.publicBlob));
    return isKnown ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
  }

  override checkChannelPtyRequest(): boolean {
    // Programs run on pipes; text that is only repeated can be shown by any terminal.
    return this.#programs === undefined;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string): boolean {
    return /^(LANG|LC_[A-Z]{1,32})$/.test(name);
  }

  override async checkChannelExecRequest(channel: Channel, command: Buffer): Promise<boolean> {
    const text = decodeCommand(command);
    if (text === undefined) return false;
    this.#logger.info({ ...origin(channel), command: text }, "command");
    if (this.#programs === undefined) answer(channel, `Executed: ${text}`, 0);
    else await this.#programs.runCommand(channel, text);
    return true;
  }

  override async checkChannelShellRequest(channel: Channel): Promise<boolean> {
    this.#logger.info(origin(channel), "shell");
    if (this.#programs === undefined) answer(channel, "There is no shell here: spindlex runs without --allow-exec.", 1);
    else await this.#programs.runShell(channel);
    return true;
  }
}

/** A command is run as it was sent or not at all: what is no text, or holds a NUL, cannot be handed to a shell. */
function decodeCommand(command: Buffer): string | undefined {
  if (!isUtf8(command) || command.includes(0)) return undefined;
  return command.toString("utf8");
}

function origin({ connection }: Channel): object {
  return { connection: connection.id, user: connection.username, address: connection.remoteAddress };
}

function answer(channel: Channel, text: string, exitStatus: number): void {
  channel.send(channel.pty === undefined ? `${text}\n` : `${text}\r\n`);
  channel.sendExitStatus(exitStatus);
  channel.close();
}
