import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream";
import { type MaybePromise, whenDone } from "../../src/base/maybe-promise.js";
import type { FilesOptions } from "../../src/files/file-server-options.js";
import { type Channel, type Homes, homes, ProbeServer, parseProbeCommand } from "../../src/index.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";
import { SCPServer } from "../../src/scp/scp-server.js";
import { type AuditEvent, audit, MemoryFileSystem, rules } from "../../src/sftp/index.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import { TOOLS } from "./clients.js";
import { GuideServer } from "./server.js";

/** A server of one folder, which tests may change between connections. */
export abstract class FolderServer extends GuideServer {
  rootPath = "";
  /** The last name of the folder. */
  readonly folderName: string = "root";

  override checkChannelExecRequest(_channel: Channel, _command: Buffer): MaybePromise<boolean> {
    return false;
  }
}

/** Serves the folder over SFTP and scp, as the guide has it. */
export class SFTPGuideServer extends FolderServer {
  override checkChannelSubsystemRequest(channel: Channel, name: string): MaybePromise<boolean> {
    return name === "sftp" && this.serve(channel, (files) => new SFTPServer(channel, files));
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): MaybePromise<boolean> {
    const scp = parseSCPCommand(command);
    return scp !== undefined && this.serve(channel, (files) => new SCPServer(channel, scp, files));
  }

  protected files(_channel: Channel): MaybePromise<FilesOptions> {
    return { rootPath: this.rootPath };
  }

  protected serve(channel: Channel, start: (files: FilesOptions) => unknown): MaybePromise<boolean> {
    return whenDone(this.files(channel), (files) => {
      start(files);
      return true;
    });
  }
}

/** What stands between a client and its folder. */
export const LAYERS = ["quota", "shared folders", "whole uploads", "rules", "audit"] as const;
export type Layer = (typeof LAYERS)[number];

/** The same under all that can stand there: the folder is the home of its user. */
export class StackedSFTPServer extends SFTPGuideServer {
  override readonly folderName = "admin";
  readonly events: AuditEvent[] = [];
  /** What in fact stands there. */
  layers: readonly Layer[] = LAYERS;
  readonly #access = rules([
    { path: "/**/*.hidden", hidden: true },
    { path: "/shared/**", allow: ["list", "stat", "read"] },
    { path: "/**", users: [this.folderName], allow: "all" },
  ]);
  #folder = "";
  #homes: Homes | undefined;

  /** The folder that each home has as `/shared`. */
  get sharedPath(): string {
    return join(dirname(this.rootPath), "shared");
  }

  /** Bytes that the user has stored, as the quota counts them. */
  async used(): Promise<number | undefined> {
    return (await this.homes.usage(this.folderName))?.used;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): MaybePromise<boolean> {
    const probe = parseProbeCommand(command);
    if (!probe) return super.checkChannelExecRequest(channel, command);
    return this.serve(channel, (files) => new ProbeServer(channel, probe, files));
  }

  protected override async files(channel: Channel): Promise<FilesOptions> {
    const { connection } = channel;
    const { fileSystem } = await this.homes({ user: connection.username ?? "", connection });
    const record = (event: AuditEvent) => void this.events.push(event);
    return {
      fileSystem: this.layers.includes("audit") ? audit(fileSystem, { record }) : fileSystem,
      ...(this.layers.includes("rules") && { access: this.#access }),
    };
  }

  /** Those of the test that runs. */
  private get homes(): Homes {
    if (this.#homes !== undefined && this.#folder === this.rootPath) return this.#homes;
    const has = (layer: Layer) => this.layers.includes(layer);
    this.#folder = this.rootPath;
    this.#homes = homes({
      root: dirname(this.rootPath),
      quota: has("quota") && 2 ** 40,
      shared: has("shared folders") ? { "/shared": this.sharedPath, "/team/box": new MemoryFileSystem() } : {},
      atomicUploads: has("whole uploads"),
    });
    return this.#homes;
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
