import { spawn } from "node:child_process";
import { pipeline } from "node:stream";
import type { Channel } from "../../src/index.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";
import { SCPServer } from "../../src/scp/scp-server.js";
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
    new SFTPServer(channel, { rootPath: this.rootPath });
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const scp = parseSCPCommand(command);
    if (!scp) return false;
    new SCPServer(channel, scp, { rootPath: this.rootPath });
    return true;
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
