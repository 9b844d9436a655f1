import { ConfigurationError } from "../base/configuration-error.js";
import { callHook, HookError } from "../base/hook-error.js";
import { checkFunction } from "../base/option-checks.js";
import type { FilesOptions } from "../files/file-server-options.js";
import { rootFolderOf } from "../files/local/local-file-system.js";
import { parseProbeCommand } from "../probes/probe-command.js";
import { parseSCPCommand } from "../scp/scp-command.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { Middleware, SessionHandler } from "../session/session-handler.js";
import type { SessionRequest } from "../session/session-request.js";
import { declareProgram, noteNoFiles } from "./declared-program.js";
import { folderProblem } from "./folder-problem.js";
import { NoHomeError } from "./homes/no-home-error.js";
import { problemAtStart } from "./homes/start-checks.js";
import { checkSessionOptions, type FilesOption, filesOf, type SessionOptions, servedFiles } from "./session-options.js";

/** Variables that say how text is to be shown, and no more. */
const HARMLESS_VARIABLE = /^(LANG|LC_\w+|COLORTERM)$/;

/** The declaration of what clients may run, as the hooks of a server ask it. */
export class SessionDeclaration {
  readonly session: SessionHandler | undefined;
  readonly #sftp: FilesOption | undefined;
  readonly #middleware: Middleware[];

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(options: SessionOptions) {
    const { session, sftp, middleware = [] } = checkSessionOptions(options);
    this.session = session;
    this.#sftp = sftp;
    this.#middleware = [...middleware];
  }

  get middleware(): readonly Middleware[] {
    return this.#middleware;
  }

  /**
   * Adds a layer inside those that are there, for sessions that begin later.
   *
   * @throws {ConfigurationError} when it is not a function
   */
  use(middleware: Middleware): void {
    this.#middleware.push(checkFunction("middleware", middleware));
  }

  exec(channel: SessionChannel, command: Buffer): boolean | Promise<boolean> {
    const scpCommand = this.#sftp === undefined ? undefined : parseSCPCommand(command);
    if (scpCommand !== undefined) {
      return this.#serveFiles(channel, (files) =>
        declareProgram(channel, { kind: "scp", request: { kind: "scp", command }, files, command: scpCommand }),
      );
    }
    const request: SessionRequest = { kind: "exec", command };
    // Where there are files and nothing else, commands can only be about them.
    const probe = this.#sftp === undefined || this.session !== undefined ? undefined : parseProbeCommand(command);
    if (probe === undefined) return this.#allow(channel, request);
    return this.#serveFiles(channel, (files) =>
      declareProgram(channel, { kind: "probe", request, files, command: probe }),
    );
  }

  shell(channel: SessionChannel): boolean {
    return this.#allow(channel, { kind: "shell" });
  }

  /** SFTP is refused where no files are declared: its client could make nothing of whatever another program says. */
  subsystem(channel: SessionChannel, name: string): boolean | Promise<boolean> {
    if (name !== "sftp") return this.#allow(channel, { kind: "subsystem", subsystem: name });
    if (this.#sftp === undefined) return false;
    return this.#serveFiles(channel, (files) =>
      declareProgram(channel, { kind: "sftp", request: { kind: "sftp", subsystem: name }, files }),
    );
  }

  declares(name: "session" | "sftp"): boolean {
    return (name === "session" ? this.session : this.#sftp) !== undefined;
  }

  allowsTerminal(): boolean {
    return this.session !== undefined;
  }

  allowsVariable(name: string): boolean {
    return this.session !== undefined && HARMLESS_VARIABLE.test(name);
  }

  /**
   * Looks at the folders that are known before a user comes.
   *
   * @throws {ConfigurationError} when it cannot be served
   */
  async requireFolder(): Promise<void> {
    const option = this.#sftp;
    if (option === undefined) return;
    const problem = typeof option === "function" ? await problemAtStart(option) : await problemOf(servedFiles(option));
    if (problem !== undefined) throw new ConfigurationError("sftp", problem);
  }

  #allow(channel: SessionChannel, request: SessionRequest): boolean {
    return this.session !== undefined && declareProgram(channel, { kind: "session", request });
  }

  async #serveFiles(channel: SessionChannel, serve: (files: FilesOptions) => true): Promise<boolean> {
    const option = this.#sftp;
    let files: FilesOptions | undefined;
    try {
      files = option === undefined ? undefined : await callHook("sftp", () => filesOf(option, channel));
    } catch (error) {
      if (error instanceof HookError && error.cause instanceof NoHomeError) {
        return noteNoFiles(channel, error.cause.message);
      }
      throw error;
    }
    if (files === undefined) return noteNoFiles(channel);
    const problem = await problemOf(files);
    return problem === undefined ? serve(files) : noteNoFiles(channel, problem);
  }
}

/** Why files cannot be served, where they are a folder of the disk. */
async function problemOf(files: FilesOptions): Promise<string | undefined> {
  const folder = "rootPath" in files ? files.rootPath : rootFolderOf(files.fileSystem);
  return folder === undefined ? undefined : folderProblem(folder);
}
