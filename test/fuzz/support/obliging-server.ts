import { PKey } from "../../../src/crypto/pkey/pkey.js";
import type { Channel, Prompt } from "../../../src/index.js";
import { SFTPServer, SSHServer } from "../../../src/index.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL, type AuthResult } from "../../../src/protocol/constants.js";
import { parseSCPCommand } from "../../../src/scp/scp-command.js";
import { SCPServer } from "../../../src/scp/scp-server.js";
import { FileLogger, smallFileSystem } from "./files.js";
import { publicLines } from "./keys.js";

const KNOWN_KEYS = publicLines.map((line) => PKey.fromString(line));

/** More than a small window takes. */
const OUTPUT = Buffer.alloc(1000, "output ");

/** Says yes to nearly all, some of it later: so everything behind the hooks is reached. */
export class ObligingServer extends SSHServer {
  readonly #defects: unknown[];

  /** @param defects receives what must not happen */
  constructor(defects: unknown[]) {
    super();
    this.#defects = defects;
  }

  override checkAuthNone(username: string): AuthResult {
    return username === "nobody" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkAuthPassword(username: string, password: string) {
    if (password === "expired") return { passwordChangeRequired: "another one" };
    if (password === "partial") return AUTH_PARTIAL;
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override async checkAuthPasswordChange(_username: string, _old: string, changed: string) {
    return changed === "" ? { passwordChangeRequired: "not that one" } : AUTH_SUCCESSFUL;
  }

  override checkAuthPublickey(_username: string, key: PKey): AuthResult {
    return KNOWN_KEYS.some((known) => known.equals(key)) ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override async checkAuthKeyboardInteractive(_username: string, _submethods: string, prompt: Prompt) {
    const [first] = await prompt({ prompts: [{ prompt: "one", echo: false }] });
    if (first === "right") return AUTH_SUCCESSFUL;
    await prompt({ prompts: [] });
    const two = { prompt: "two", echo: true };
    const [second] = await prompt({ prompts: [two, two] });
    return second === "" ? AUTH_PARTIAL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string, id: number): number | Promise<number> {
    if (kind === "x") return 4;
    return id % 3 === 0 ? 0 : Promise.resolve(0);
  }

  override async checkChannelExecRequest(channel: Channel, command: Buffer): Promise<boolean> {
    const scp = parseSCPCommand(command);
    if (scp !== undefined) {
      new SCPServer(channel, scp, { fileSystem: smallFileSystem(), logger: new FileLogger(this.#defects) });
      return true;
    }
    channel.send(Buffer.concat([command, OUTPUT]));
    channel.sendStderr("error");
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    channel.pipe(channel);
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { fileSystem: smallFileSystem(), logger: new FileLogger(this.#defects) });
    return true;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string): boolean | Promise<boolean> {
    return name.length % 2 === 0 ? true : Promise.resolve(true);
  }

  override async checkChannelX11Request(): Promise<boolean> {
    return true;
  }

  override checkPortForwardRequest(_address: string, port: number): number {
    return port || 2222;
  }

  override async checkPortForwardCancelRequest(): Promise<boolean> {
    return true;
  }

  override checkGlobalRequest(_kind: string, payload: Buffer): Uint8Array {
    return payload;
  }
}
