import type { AccessPolicy } from "../sftp/access-policy.js";
import { GuardedFileSystem } from "../sftp/guarded-file-system.js";
import { LocalFileSystem } from "../sftp/local/local-file-system.js";
import { normalizePath } from "../sftp/path.js";
import type { ServedFiles } from "../sftp/sftp-server.js";
import type { SFTPLogger, SFTPStream } from "../sftp/sftp-session.js";
import { FatalError, PeerGoneError, SCPEndError } from "./errors.js";
import { failureOf } from "./failure.js";
import { Locator } from "./locator.js";
import { SCPPeer } from "./peer.js";
import type { SCPCommand } from "./scp-command.js";
import type { SCPSession } from "./session.js";
import { SCPSink } from "./sink.js";
import { SCPSource } from "./source.js";

export type SCPServerOptions = ServedFiles & {
  /** The client's home: where relative paths and `~` lead. Default: `/`. */
  readonly startDirectory?: string;
  /** Decides what the client may do; an SFTPServer is one, too. Default: all. */
  readonly access?: AccessPolicy;
  /** Broken protocol at debug level, defects at warn. Default: silent. */
  readonly logger?: SFTPLogger;
};

const silentLogger: SFTPLogger = { debug: () => {}, warn: () => {} };

/**
 * The other side of `scp -O`: takes or gives files over a stream, ends it with an exit status and closes it. Give it the
 * channel of an `exec` request whose command `parseSCPCommand` has understood. Its file system needs `lstat`.
 */
export class SCPServer {
  /** Resolves when the session has ended and all its files are closed. */
  readonly closed: Promise<void>;
  readonly #stream: SFTPStream;
  readonly #session: SCPSession;
  readonly #startDirectory: string;
  readonly #logger: SFTPLogger;

  constructor(stream: SFTPStream, command: SCPCommand, options: SCPServerOptions) {
    const fileSystem = "fileSystem" in options ? options.fileSystem : new LocalFileSystem(options.rootPath);
    this.#stream = stream;
    this.#startDirectory = normalizePath(options.startDirectory ?? "/");
    this.#logger = options.logger ?? silentLogger;
    // The peer hears of it as of the end of the stream.
    stream.on("error", () => {});
    this.#session = {
      command,
      peer: new SCPPeer(stream, (error, path) => this.#logger.warn({ err: error, path }, "scp: a file failed")),
      tree: new GuardedFileSystem(fileSystem, options.access ?? allowAll, this.#startDirectory),
      locator: new Locator(fileSystem, this.#startDirectory),
    };
    this.closed = this.#run();
  }

  async #run(): Promise<void> {
    const { peer, command } = this.#session;
    const session =
      command.role === "sink" ? new SCPSink(this.#session) : new SCPSource(this.#session, this.#startDirectory);
    const failure = await failureOf(() => session.run());
    if (failure !== undefined) await failureOf(() => this.#tellWhy(failure.error));
    peer.release();
    this.#close(failure === undefined && !peer.failed ? 0 : 1);
  }

  async #tellWhy(error: unknown): Promise<void> {
    if (error instanceof SCPEndError) this.#logger.debug({ err: error }, "scp has ended early");
    else this.#logger.warn({ err: error }, "scp has failed");
    if (error instanceof PeerGoneError) return;
    if (error instanceof FatalError) await this.#session.peer.fail(error.message);
    else await this.#session.peer.fail("internal error");
  }

  #close(exitStatus: number): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    stream.sendExitStatus?.(exitStatus);
    // What still comes is of no use, but would keep a stream from its end.
    stream.resume();
    if (stream.close !== undefined) stream.close();
    else stream.end(() => stream.destroy());
  }
}

const allowAll: AccessPolicy = {
  checkFileAccess: () => true,
  checkDirectoryAccess: () => true,
  getFilePermissions: () => undefined,
  getDirectoryPermissions: () => undefined,
};
