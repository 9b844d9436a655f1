import { createHash } from "node:crypto";
import { messageOf } from "../../base/is-error.js";
import { type Logger, stderrLogger } from "../../base/logger.js";
import { inTurns, type Steps } from "../../base/time-slices.js";
import type { FileSettings } from "./file-options.js";
import { type FileVersion, TrustedFile, type TrustedFileOptions } from "./trusted-file.js";
import { UserFileError } from "./user-file-error.js";

/** Bytes that are hashed in one step. */
const HASHED_LENGTH = 1024 * 1024;

export interface ReloadedFileOptions extends TrustedFileOptions, FileSettings {
  /** The word for the file in messages. */
  readonly kind: string;
  readonly path: string;
}

/** The content of a file at one moment. */
export interface FileState<T> {
  readonly content: T;
  /**
   * The content when the file was last at rest, as long as it has not come to rest again. A file that is written in its
   * place is empty at first, and then cut short: where that would let in more people than before, both have to count.
   */
  readonly lastAtRest: T | undefined;
}

interface Reading<T> {
  readonly version: FileVersion;
  readonly digest: string;
  /** Or the reason why it cannot be used. */
  readonly content: T | UserFileError;
}

/**
 * A file as it is now: looked at whenever somebody asks, and read again when it has changed. While it is missing,
 * cannot be read or could be written by others, it has no content: somebody may have wanted to end the content from
 * before.
 */
export class ReloadedFile<T extends object> {
  readonly #options: ReloadedFileOptions;
  readonly #parse: (bytes: Buffer, logger: Logger) => T | Promise<T>;
  #latest: Reading<T> | undefined;
  #atRest: T | undefined;
  #running: Promise<FileState<T>> | undefined;
  #waiting: Promise<FileState<T>> | undefined;
  /**
   * The last complaint in the log, so that it does not come again with each login. A log hears of it although standard error
   * has, before there was a connection.
   */
  #complaint: string | undefined;

  /** @param parse is called once for each content; an error that it throws makes the file useless */
  constructor(options: ReloadedFileOptions, parse: (bytes: Buffer, logger: Logger) => T | Promise<T>) {
    this.#options = options;
    this.#parse = parse;
  }

  /**
   * The content, or `undefined` while it cannot be used; the log tells the reason, once.
   *
   * @param connection for whose login it is
   */
  async current(connection?: object): Promise<FileState<T> | undefined> {
    const { kind, path, loggerOf } = this.#options;
    const logger = loggerOf(connection);
    try {
      return await this.#look(logger);
    } catch (error) {
      const reason = messageOf(error);
      const complaint = `${logger === stderrLogger ? "stderr" : "log"}: ${reason}`;
      if (complaint !== this.#complaint) {
        this.#complaint = complaint;
        logger.error({ path, reason }, `${kind} cannot be used: all are refused`);
      }
      return undefined;
    }
  }

  /**
   * @param start stands for a connection, whose logger hears of lines that cannot be used
   * @throws {UserFileError} when it cannot be used
   */
  async load(start?: object): Promise<T> {
    const { kind, path, loggerOf } = this.#options;
    try {
      return (await this.#look(loggerOf(start))).content;
    } catch (error) {
      throw new UserFileError(`${kind} ${path} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Looks at the file after the call, once for all callers while somebody looks. */
  #look(logger: Logger): Promise<FileState<T>> {
    if (this.#waiting !== undefined) return this.#waiting;
    if (this.#running === undefined) return this.#start(logger);
    const next = () => {
      this.#waiting = undefined;
      return this.#start(logger);
    };
    this.#waiting = this.#running.then(next, next);
    return this.#waiting;
  }

  #start(logger: Logger): Promise<FileState<T>> {
    this.#running = this.#readIfChanged(logger).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #readIfChanged(logger: Logger): Promise<FileState<T>> {
    const known = this.#latest;
    this.#latest = undefined;
    const { kind, path } = this.#options;
    const file = await TrustedFile.open(path, this.#options);
    if (file === undefined) throw new UserFileError("there is no such file");
    try {
      const isKnown = known?.version.mark === file.version.mark && !known.version.fresh;
      this.#latest = isKnown ? known : await this.#read(file, known, logger);
    } finally {
      await file.close();
    }
    const { version, content } = this.#latest;
    if (content instanceof UserFileError) throw content;
    if (!version.fresh) this.#atRest = content;
    if (this.#complaint !== undefined) logger.info({ path }, `${kind} can be used again`);
    this.#complaint = undefined;
    return { content, lastAtRest: version.fresh ? this.#atRest : undefined };
  }

  async #read(file: TrustedFile, known: Reading<T> | undefined, logger: Logger): Promise<Reading<T>> {
    const bytes = await file.read();
    const digest = await inTurns(digestOf(bytes));
    const content = known?.digest === digest ? known.content : await this.#parsed(bytes, logger);
    return { version: file.version, digest, content };
  }

  async #parsed(bytes: Buffer, logger: Logger): Promise<T | UserFileError> {
    try {
      return await this.#parse(bytes, logger);
    } catch (error) {
      return new UserFileError(messageOf(error), { cause: error });
    }
  }
}

function* digestOf(bytes: Buffer): Steps<string> {
  const hash = createHash("sha256");
  for (let start = 0; start < bytes.length; start += HASHED_LENGTH) {
    hash.update(bytes.subarray(start, start + HASHED_LENGTH));
    yield;
  }
  return hash.digest("base64");
}
