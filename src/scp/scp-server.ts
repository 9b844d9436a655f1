import { loggedPath } from "../base/logged-text.js";
import { checkOptions } from "../base/option-checks.js";
import { FileError } from "../files/errors.js";
import {
  FILE_SERVER_OPTIONS,
  type FileServerLogger,
  type FileServerOptions,
  fileServerSettings,
} from "../files/file-server-options.js";
import type { FileServerStream } from "../files/file-server-stream.js";
import { GuardedFileSystem } from "../files/guarded-file-system.js";
import { FatalError, PeerGoneError, SCPEndError } from "./errors.js";
import { failureOf } from "./failure.js";
import { Locator } from "./locator.js";
import { SCPPeer } from "./peer.js";
import type { SCPCommand } from "./scp-command.js";
import type { SCPSession } from "./session.js";
import { SCPSink } from "./sink.js";
import { SCPSource } from "./source.js";

/**
 * The other side of `scp -O`: takes or gives files over a stream, ends it with an exit status and closes it. Give it the
 * channel of an `exec` request whose command `parseSCPCommand` has understood. Its file system needs `lstat`.
 */
export class SCPServer {
  /** Resolves when the session has ended and all its files are closed. */
  readonly closed: Promise<void>;
  readonly #stream: FileServerStream;
  readonly #session: SCPSession;
  readonly #logger: FileServerLogger;

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(stream: FileServerStream, command: SCPCommand, options: FileServerOptions) {
    const { fileSystem, startDirectory, policy, guard, logger, transfers } = fileServerSettings(
      checkOptions(options, FILE_SERVER_OPTIONS),
      stream,
    );
    this.#stream = stream;
    this.#logger = logger;
    // The peer hears of it as of the end of the stream.
    stream.on("error", () => {});
    const gone = new AbortController();
    stream.once("close", () => gone.abort(new FileError("ENOTCONN")));
    this.#session = {
      command,
      startDirectory,
      peer: new SCPPeer(stream, (error, path) =>
        logger.warn({ err: error, path: loggedPath(path) }, "scp: a file failed"),
      ),
      tree: new GuardedFileSystem(fileSystem, guard(policy), startDirectory, gone.signal),
      locator: new Locator(fileSystem, startDirectory),
      transfers,
    };
    this.closed = this.#run();
  }

  async #run(): Promise<void> {
    const { peer, command } = this.#session;
    const session = command.role === "sink" ? new SCPSink(this.#session) : new SCPSource(this.#session);
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
    // Data that still comes is of no use, but would keep a stream from its end.
    stream.resume();
    if (stream.close !== undefined) stream.close();
    else stream.end(() => stream.destroy());
  }
}
