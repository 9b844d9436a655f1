import { loggedPath } from "../base/logged-text.js";
import { checkOptions } from "../base/option-checks.js";
import { FileError, toFileError } from "../files/errors.js";
import {
  FILE_SERVER_OPTIONS,
  type FileServerLogger,
  type FileServerOptions,
  fileServerSettings,
} from "../files/file-server-options.js";
import type { FileServerStream } from "../files/file-server-stream.js";
import type { FileSystemStatistics } from "../files/file-system.js";
import { GuardedFileSystem } from "../files/guarded-file-system.js";
import { encodeName } from "../files/path.js";
import { hashFile, hashStream, hashText } from "./hash-bytes.js";
import type { DiskFreeColumns, HashCommand, ProbeCommand } from "./probe-command.js";

/** The longest time for one command: files of some terabytes. */
const LONGEST_MILLISECONDS = 60 * 60 * 1000;

/** The way to the client of a probe. */
export interface ProbeStream extends FileServerStream {
  /** Fires when the client is gone. */
  readonly signal?: AbortSignal;
  /** Takes what went wrong. */
  sendStderr?(text: Uint8Array): void;
}

/**
 * Answers a command by which a client learns what the server can do, or what a file holds: rclone runs `md5sum` behind an
 * upload. No program and no shell is run; paths are those of the files that are served, under the same rules. Give
 * it the channel of an `exec` request whose command `parseProbeCommand` has understood. It ends the channel with an exit status.
 */
export class ProbeServer {
  /** Resolves when the command has ended and its file is closed. */
  readonly closed: Promise<void>;
  readonly #stream: ProbeStream;
  readonly #command: ProbeCommand;
  readonly #tree: GuardedFileSystem;
  readonly #logger: FileServerLogger;
  readonly #end = new AbortController();
  #hasFailed = false;

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(stream: ProbeStream, command: ProbeCommand, options: FileServerOptions) {
    const { fileSystem, startDirectory, policy, guard, logger } = fileServerSettings(
      checkOptions(options, FILE_SERVER_OPTIONS),
      stream,
    );
    this.#stream = stream;
    this.#command = command;
    this.#logger = logger;
    this.#tree = new GuardedFileSystem(fileSystem, guard(policy), startDirectory, this.#end.signal);
    this.closed = this.#run();
  }

  async #run(): Promise<void> {
    const stream = this.#stream;
    const gone = () => this.#end.abort();
    stream.on("error", gone);
    stream.once("close", gone);
    stream.signal?.addEventListener("abort", gone, { once: true });
    if (stream.destroyed || stream.signal?.aborted) gone();
    const limit = setTimeout(() => this.#end.abort(new FileError("ETIMEDOUT")), LONGEST_MILLISECONDS);
    try {
      await this.#answer();
    } finally {
      clearTimeout(limit);
      stream.signal?.removeEventListener("abort", gone);
      this.#close();
    }
  }

  async #answer(): Promise<void> {
    const command = this.#command;
    switch (command.program) {
      case "echo":
        return this.#write(command.text);
      case "pwd":
        return this.#attempt("", async () => this.#write(`${await this.#tree.realpath(".")}\n`));
      case "df":
        return this.#tellSpace(command.paths.length === 0 ? ["."] : command.paths, command.columns);
      default:
        return this.#hash(command);
    }
  }

  async #hash({ paths, input, algorithm }: HashCommand): Promise<void> {
    const { signal } = this.#end;
    if (paths.length === 0) {
      const hash = () =>
        input === undefined ? hashStream(this.#stream, algorithm, signal) : hashText(input, algorithm);
      await this.#attempt("-", async () => this.#write(`${await hash()}  -\n`));
    }
    for (const path of paths) {
      await this.#attempt(path, async () =>
        this.#write(hashLine(path, await hashFile(this.#tree, path, algorithm, signal))),
      );
    }
  }

  async #tellSpace(paths: readonly string[], columns: DiskFreeColumns): Promise<void> {
    const lines: string[] = [];
    for (const path of paths) {
      await this.#attempt(path, async () => {
        const [blocks, used, available] = inKibibytes(await this.#tree.statvfs(path));
        const share = used + available === 0 ? 0 : Math.ceil((used / (used + available)) * 100);
        const sizes = [blocks, used, available].map(columns === "all for people" ? readableSize : String);
        const all = `spindlex ${sizes.join(" ")} ${share}% /`;
        lines.push(`${columns === "used and available" ? `${used} ${available}` : all}\n`);
      });
    }
    if (lines.length === 0) return;
    this.#write(`${DISK_FREE_TITLES[columns]}\n`);
    this.#write(lines.join(""));
  }

  /** What fails for one path does not end the command. */
  async #attempt(path: string, operation: () => Promise<void>): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return;
    try {
      await operation();
    } catch (error) {
      this.#hasFailed = true;
      const isGone = signal.aborted && !(signal.reason instanceof FileError);
      if (this.#stream.destroyed || isGone) return;
      const failure = toFileError(error);
      const isDefect = !(error instanceof FileError) && failure.code === "EIO";
      const { program } = this.#command;
      const fields = { err: error, program, path: loggedPath(path) };
      this.#logger[isDefect ? "warn" : "debug"](fields, "a command about files has failed");
      const place = path === "" ? "" : `${path}: `;
      this.#stream.sendStderr?.(encodeName(`${program}: ${place}${failure.message}\n`));
    }
  }

  #write(text: string): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeName(text));
  }

  #close(): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    stream.sendExitStatus?.(this.#hasFailed ? 1 : 0);
    // Data that still comes is of no use, but would keep a stream from its end.
    stream.resume();
    if (stream.close !== undefined) stream.close();
    else stream.end(() => stream.destroy());
  }
}

/** As of the `df` of GNU, which other programs read. */
const DISK_FREE_TITLES: Readonly<Record<DiskFreeColumns, string>> = {
  all: "Filesystem 1024-blocks Used Available Capacity Mounted on",
  "all for people": "Filesystem Size Used Avail Use% Mounted on",
  "used and available": "Used Available",
};

/** As of `df -h`: rounded up, and below ten with one decimal. @param kibibytes an integer */
function readableSize(kibibytes: number): string {
  let [size, unit] = [kibibytes, 0];
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  if (size === 0) return "0";
  const tenths = Math.ceil(size * 10);
  return `${tenths < 100 ? (tenths / 10).toFixed(1) : Math.ceil(size)}${UNITS[unit]}`;
}

const UNITS = ["K", "M", "G", "T", "P"];

/** A name that would break the line is escaped, as GNU's programs do it, and a backslash in front says so. */
function hashLine(path: string, hash: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === path ? "" : "\\"}${hash}  ${escaped}\n`;
}

function inKibibytes(statistics: FileSystemStatistics): readonly [blocks: number, used: number, available: number] {
  const { blockSize, blocks, freeBlocks, availableBlocks } = statistics;
  const sizes = [blocks, blocks - freeBlocks, availableBlocks];
  const [all = 0, used = 0, available = 0] = sizes.map((count) => Math.max(0, Math.floor((count * blockSize) / 1024)));
  return [all, used, available];
}
