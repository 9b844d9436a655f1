import type { Logger } from "../../protocol/logger.js";
import { readUserFile, type UserFile } from "./user-file.js";
import type { RefusedLine } from "./user-lines.js";

/** What a file says, and what of it cannot be used. */
export interface ParsedFile {
  readonly refused: readonly RefusedLine[];
}

/**
 * A file that says who may log in, as it is now: read again whenever it has changed. While it is missing, cannot be
 * read or could be written by others, it says nothing: what it said before may be what somebody wanted to end.
 */
export class ReloadedFile<T extends ParsedFile> {
  readonly #file: UserFile;
  readonly #parse: (text: string) => T;
  readonly #logger: Logger;
  #known: { readonly content: T; readonly version: string | undefined } | undefined;
  #reading: Promise<T> | undefined;
  /** What has been logged, so that it is not again with each login. */
  #complaint: string | undefined;
  #warnings = "[]";

  /** @param parse gives lines that cannot be used as `refused`, and does not throw */
  constructor(file: UserFile, parse: (text: string) => T, logger: Logger) {
    this.#file = file;
    this.#parse = parse;
    this.#logger = logger;
  }

  /** What it says, or `undefined` while it cannot be used; the log tells why, once. */
  async current(): Promise<T | undefined> {
    try {
      return await this.load();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#complaint) {
        this.#complaint = reason;
        this.#logger.error({ path: this.#file.path, reason }, `${this.#file.kind} cannot be used: all are refused`);
      }
      return undefined;
    }
  }

  /**
   * What it says. It is read once for all that ask meanwhile.
   *
   * @throws {UserFileError} when it cannot be used
   */
  load(): Promise<T> {
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #refresh(): Promise<T> {
    const known = this.#known;
    this.#known = undefined;
    const read = await readUserFile(this.#file, known?.version);
    if (read === undefined && known !== undefined) this.#known = known;
    else this.#known = { content: this.#parse(read?.text ?? ""), version: read?.version };
    this.#settle(this.#known.content);
    return this.#known.content;
  }

  #settle({ refused }: T): void {
    const { path, kind } = this.#file;
    if (this.#complaint !== undefined) this.#logger.info({ path }, `${kind} can be used again`);
    this.#complaint = undefined;
    const warnings = JSON.stringify(refused);
    if (warnings === this.#warnings) return;
    this.#warnings = warnings;
    for (const { line, reason } of refused) this.#logger.warn({ path, line, reason }, "user refused");
  }
}
