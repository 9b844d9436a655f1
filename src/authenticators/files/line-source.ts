import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { loggedPath, loggedText } from "../../base/logged-text.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkFunction } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { linesOf } from "../../base/text-lines.js";
import { inTurns } from "../../base/time-slices.js";
import type { PKey } from "../../crypto/pkey/pkey.js";
import type { Connection } from "../../session/connection.js";
import { type ContentLine, logRefused, type ParsedLines, parseLines, readLines } from "./content-lines.js";
import { FILE_OPTIONS, type FileOptions, type FileSettings, resolveFileOptions } from "./file-options.js";
import { sourceFiles } from "./file-source.js";
import { Recent } from "./recent.js";
import { readTrustedFile } from "./trusted-file.js";
import { UserFileError } from "./user-file-error.js";
import { commonFolder, userPath } from "./user-path.js";

/**
 * The source of lines: a text, files, or a function that asks a database, say. In the name of a file `%u` stands for
 * the user's name and `%%` for a percent sign; names of users that could lead to another folder have no file.
 */
export type LineSource =
  | string
  | { readonly file: string | readonly string[] }
  | ((username: string, connection: Connection, key: PKey) => MaybePromise<string | undefined>);

/** The text of a function counts as a file. */
export interface LineSourceOptions extends FileOptions {
  /** The id of a user of the system who owns these files and may change them, too. By default no other user may. */
  readonly owner?: (username: string) => MaybePromise<number | undefined>;
}

/** The names of `LineSourceOptions`. */
export const LINE_SOURCE_OPTIONS = [...FILE_OPTIONS, "owner"] as const;

/** The place of lines, escaped for the log: a file, the text of a function for a user, or a text. */
export type LineOrigin = { readonly path: string } | { readonly username: string } | Readonly<Record<string, never>>;

export interface LocatedLines<T> {
  readonly origin: LineOrigin;
  readonly entries: ParsedLines<T>["entries"];
}

/** The login for which lines are read: the parameters of a function that gives them. */
export type LineReader = readonly [username: string, connection: Connection, key: PKey];

/** A source as a `LineSet` uses it. */
interface OpenedSource<T> {
  read(...reader: LineReader): AsyncIterable<LocatedLines<T>>;
  load(start: object | undefined): Promise<void>;
}

interface Known<T> {
  readonly text: string;
  /** While it is read, all logins wait for the same. */
  readonly entries: Promise<ParsedLines<T>["entries"]>;
}

/** Bytes. */
const MAXIMUM_LINES_SIZE = 1024 * 1024;

/** Characters of all texts that are kept parsed, and what each costs beside them. */
const KNOWN_CHARACTERS = 8 * 1024 * 1024;
const TEXT_OVERHEAD = 1024;

/**
 * Reads lines at each login anew, so that a change counts at once. Only parsing is saved where a text is the one of
 * before.
 */
export class LineSet<T extends object> {
  readonly #kind: string;
  readonly #option: string;
  readonly #parse: (line: ContentLine) => T;
  readonly #options: FileSettings;
  readonly #owner: LineSourceOptions["owner"];
  readonly #source: OpenedSource<T>;
  readonly #known = new Recent<Known<T>>(KNOWN_CHARACTERS, ({ text }) => text.length + TEXT_OVERHEAD);
  /** The fault of each text that the log has been told of, for each connection. */
  readonly #faults = new WeakMap<object, Map<string, string>>();

  /**
   * @param kind the name of one line in the log
   * @param option the name of the option that the source is
   * @throws {ConfigurationError} when an option, or a text that is the source, cannot be used
   */
  constructor(
    kind: string,
    source: LineSource,
    parse: (line: ContentLine) => T,
    options: LineSourceOptions,
    option = "source",
  ) {
    this.#kind = kind;
    this.#option = option;
    this.#parse = parse;
    this.#options = resolveFileOptions(options, MAXIMUM_LINES_SIZE);
    if (options.owner !== undefined) checkFunction("owner", options.owner);
    this.#owner = options.owner;
    this.#source = this.#open(source);
  }

  /** The lines for this user, text by text. */
  read(...reader: LineReader): AsyncIterable<LocatedLines<T>> {
    return this.#source.read(...reader);
  }

  /**
   * Reads everything that is the same for all users: a text, and files without `%u` where no `owner` was given. Where the
   * folder of the others is not there, the log is told.
   *
   * @param start stands for a connection, whose logger hears of it
   * @throws {UserFileError} when a file cannot be read, or the files together have no line that can be used
   * @throws {ConfigurationError} when a text has none
   */
  load(start?: object): Promise<void> {
    return this.#source.load(start);
  }

  #open(source: LineSource): OpenedSource<T> {
    if (typeof source === "string") return this.#openText(source);
    if (typeof source === "function") {
      return { read: (...reader) => this.#readFunction(source, ...reader), load: async () => {} };
    }
    const files = sourceFiles(this.#option, source, "a text, { file } or a function");
    const paths = files.map((file) => userPath(`${this.#option}.file`, file));
    return {
      read: (...reader) => this.#readFiles(paths, ...reader),
      load: async (start) => {
        for (const file of files) await this.#lookForFolder(file, start);
        await this.#loadFiles(paths, start);
      },
    };
  }

  #openText(text: string): OpenedSource<T> {
    const { entries, refused } = parseLines(text, this.#parse);
    logRefused(refused, this.#kind, {}, this.#options.loggerOf());
    if (entries.length === 0 && refused.length > 0) {
      throw new ConfigurationError("source", 'has no line that can be used; give a file as { file: "path" }');
    }
    return {
      async *read() {
        yield { origin: {}, entries };
      },
      load: async () => {
        if (entries.length === 0) throw new ConfigurationError(this.#option, `holds no ${this.#kind} that can be used`);
      },
    };
  }

  async *#readFunction(
    source: Extract<LineSource, (...args: never) => unknown>,
    ...reader: LineReader
  ): AsyncIterable<LocatedLines<T>> {
    const [username, connection] = reader;
    const text: unknown = await source(...reader);
    if (text === undefined) {
      noteRefusal(connection, `the source has no ${this.#kind}s for this user`);
      return;
    }
    if (typeof text !== "string") throw new TypeError("the source gave neither a text nor undefined");
    const origin = { username: loggedText(username) };
    // In UTF-8 a text has as many bytes as characters at least.
    const { maxFileSize } = this.#options;
    if (text.length > maxFileSize || Buffer.byteLength(text) > maxFileSize) {
      this.#fault(connection, origin, username, `it is larger than ${maxFileSize} bytes`);
      return;
    }
    yield await this.#parsed(connection, origin, username, text);
  }

  async *#readFiles(
    paths: readonly ((username: string) => string | undefined)[],
    ...[username, connection]: LineReader
  ): AsyncIterable<LocatedLines<T>> {
    const owner = await this.#owner?.(username);
    for (const pathOf of paths) {
      const path = pathOf(username);
      if (path === undefined) noteRefusal(connection, "such a name cannot be that of a file");
      const text = path === undefined ? undefined : await this.#readFile(connection, path, owner);
      if (path === undefined || text === undefined) continue;
      yield await this.#parsed(connection, { path: loggedPath(path) }, path, text);
    }
  }

  /** A mistyped folder refuses every user, since no file is found in it. A single user without a file is not worth a warning. */
  async #lookForFolder(file: string, start: object | undefined): Promise<void> {
    const folder = commonFolder(file);
    if (folder === undefined || (await isThere(folder))) return;
    const reason = `the folder ${loggedPath(resolve(folder))} is not there`;
    this.#options.loggerOf(start).warn({ path: loggedPath(file), reason }, `${this.#kind}s not used`);
  }

  async #loadFiles(
    paths: readonly ((username: string) => string | undefined)[],
    start: object | undefined,
  ): Promise<void> {
    if (this.#owner !== undefined) return;
    // Nobody has an empty name: a path for it is one that does not depend on the name.
    const common = paths.flatMap((pathOf) => pathOf("") ?? []);
    let usable = 0;
    for (const path of common) {
      const { entries } = await this.#parsed(start, { path }, path, await this.#requireFile(path));
      usable += entries.length;
    }
    if (usable > 0 || common.length < paths.length) return;
    throw new UserFileError(`${common.join(", ")} holds no ${this.#kind} that can be used: nobody could log in`);
  }

  async #requireFile(path: string): Promise<string> {
    try {
      const bytes = await readTrustedFile(path, this.#options);
      if (bytes === undefined) throw new UserFileError("there is no such file");
      return bytes.toString("utf8");
    } catch (error) {
      if (!(error instanceof UserFileError)) throw error;
      const message = `file of ${this.#kind}s ${path} cannot be used: ${error.message}`;
      throw new UserFileError(message, { cause: error });
    }
  }

  async #readFile(connection: object, path: string, owner: number | undefined): Promise<string | undefined> {
    try {
      const bytes = await readTrustedFile(path, { ...this.#options, owner });
      this.#faults.get(connection)?.delete(path);
      if (bytes === undefined) noteRefusal(connection, `there is no file ${loggedPath(path)}`);
      return bytes?.toString("utf8");
    } catch (error) {
      if (!(error instanceof UserFileError)) throw error;
      this.#fault(connection, { path: loggedPath(path) }, path, error.message);
      return undefined;
    }
  }

  async #parsed(
    connection: object | undefined,
    origin: LineOrigin,
    name: string,
    text: string,
  ): Promise<LocatedLines<T>> {
    let known = this.#known.get(name);
    if (known?.text !== text) {
      known = { text, entries: this.#parseInTurns(connection, origin, text) };
      this.#known.set(name, known);
    }
    return { origin, entries: await known.entries };
  }

  async #parseInTurns(
    connection: object | undefined,
    origin: LineOrigin,
    text: string,
  ): Promise<ParsedLines<T>["entries"]> {
    const { entries, refused } = await inTurns(readLines(linesOf(text), this.#parse));
    logRefused(refused, this.#kind, origin, this.#options.loggerOf(connection));
    return entries;
  }

  /** Logs the fault of a whole text, once for each connection: after a second try its cause should still be the last line. */
  #fault(connection: object, origin: LineOrigin, name: string, reason: string): void {
    noteRefusal(connection, `${nameOf(origin)} is not used: ${reason}`);
    const known = this.#faults.get(connection) ?? new Map();
    if (known.get(name) === reason) return;
    this.#faults.set(connection, known.set(name, reason));
    this.#options.loggerOf(connection).warn({ ...origin, reason }, `${this.#kind}s not used`);
  }
}

/** The place of lines in a sentence. */
export function nameOf(origin: LineOrigin): string {
  if ("path" in origin) return String(origin.path);
  return "username" in origin ? `the text for ${String(origin.username)}` : "the text of the source";
}

/** A folder that cannot be looked at may be there. */
async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    (error) => !["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? ""),
  );
}
