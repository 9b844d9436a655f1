import { spawn } from "node:child_process";
import { pipeline } from "node:stream";
import type { Channel } from "../../src/index.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";
import { SCPServer } from "../../src/scp/scp-server.js";
import {
  type AuditEvent,
  atomicUploads,
  audit,
  type FileSystem,
  LocalFileSystem,
  mount,
  quota,
  type ServedFiles,
} from "../../src/sftp/index.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import { TOOLS } from "./clients.js";
import { GuideServer } from "./server.js";

/** A server of one folder, which tests may change between connections. */
export abstract class FolderServer extends GuideServer {
  rootPath = "";

  override checkChannelExecRequest(_channel: Channel, _command: Buffer): boolean {
    return false;
  }
}

/** Serves the folder over SFTP and scp, as the guide has it. */
export class SFTPGuideServer extends FolderServer {
  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, this.files(channel));
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const scp = parseSCPCommand(command);
    if (!scp) return false;
    new SCPServer(channel, scp, this.files(channel));
    return true;
  }

  protected files(_channel: Channel): ServedFiles {
    return { rootPath: this.rootPath };
  }
}

/** The same under all wrappers that let files be changed. */
export class StackedSFTPServer extends SFTPGuideServer {
  readonly events: AuditEvent[] = [];
  #folder = "";
  #quota: FileSystem = {};

  protected override files(channel: Channel): ServedFiles {
    if (this.#folder !== this.rootPath) {
      this.#folder = this.rootPath;
      this.#quota = quota(new LocalFileSystem(this.rootPath), { bytes: 2 ** 40 });
    }
    const user = channel.connection.username;
    const whole = atomicUploads(mount({ "/": this.#quota }), { user });
    return { fileSystem: audit(whole, { record: (event) => void this.events.push(event) }) };
  }
}

/** Serves it with OpenSSH's `sftp-server`, to compare with: relative paths start in the folder, and may leave it. */
export class OpensshSFTPGuideServer extends FolderServer {
  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    const child = spawn(TOOLS["sftp-server"], ["-d", this.rootPath], { stdio: ["pipe", "pipe", "inherit"] });
    pipeline(channel, child.stdin, () => {});
    child.stdout.pipe(channel, { end: false });
    child.on("close", (code) => {
      // scp takes the want of a status for a failure.
      channel.sendExitStatus(code ?? 1);
      channel.close();
    });
    channel.signal.addEventListener("abort", () => child.kill());
    return true;
  }
}
