import { ConfigurationError } from "../../base/configuration-error.js";
import type { FindLogger } from "../../base/connection-logger.js";
import { messageOf } from "../../base/is-error.js";
import { loggedPath, loggedText } from "../../base/logged-text.js";
import type { Logger } from "../../base/logger.js";
import { linesIn } from "../../base/text-lines.js";
import { inTurns } from "../../base/time-slices.js";
import { logRefused } from "./content-lines.js";
import { type FileOptions, type FileSettings, resolveFileOptions } from "./file-options.js";
import { sourceFile } from "./file-source.js";
import { ReloadedFile } from "./reloaded-file.js";
import { UserFileError } from "./user-file-error.js";
import { parseUserLines, readUserLines, type UserFormat } from "./user-lines.js";

/**
 * The source of values of users: a file with a line for each user, read again when it changes; the text of
 * such a file; a map, read once; or a function that is asked at each login.
 */
export type UserSource =
  | { readonly file: string }
  | string
  | ReadonlyMap<string, string>
  | ((username: string) => string | undefined | Promise<string | undefined>);

/** The answer of a source at one moment. */
export interface UserLookup<T> {
  /** The value of the user who was asked for. */
  readonly value: T | undefined;
  /** The values of all users, where the source has a list of them. */
  readonly users?: ReadonlyMap<string, T>;
}

/** A source as an authenticator uses it. */
export interface UserValues<T> {
  /** The name of the source in a sentence for the log. */
  readonly name: string;
  /** `undefined` while the source cannot be used: nobody is let in then. */
  find(username: string, connection?: object): Promise<UserLookup<T> | undefined>;
  /**
   * Reads the source now, where it has a list of the users.
   *
   * @param start stands for a connection, whose logger hears of lines that cannot be used
   * @returns the names of the users whose values are usable; none for a function
   * @throws {UserFileError} when a file cannot be read, or has no such user
   * @throws {ConfigurationError} when another source has none
   */
  load(start?: object): Promise<readonly string[]>;
}

const SOURCE = "the source";

/** Bytes; a line of a user has about a hundred. */
const MAXIMUM_FILE_SIZE = 16 * 1024 * 1024;

/** @throws {ConfigurationError} when the source or an option cannot be used */
export function userValues<T>(source: UserSource, format: UserFormat<T>, options: FileOptions): UserValues<T> {
  const resolved = resolveFileOptions(options, MAXIMUM_FILE_SIZE);
  if (typeof source === "function") return askEachTime(source, format, resolved.loggerOf);
  const logger = resolved.loggerOf();
  if (typeof source === "string") return listed(parseText(source, format, logger), format);
  if (source instanceof Map) return listed(parseMap(source, format, logger), format);
  const path = sourceFile("source", source as { readonly file: string }, "{ file: path }, text, a Map or a function");
  return fromFile(path, format, resolved);
}

function fromFile<T>(path: string, format: UserFormat<T>, options: FileSettings): UserValues<T> {
  let whyRefused = "";
  const file = new ReloadedFile({ ...options, kind: format.kind, path, secrecy: "private" }, async (bytes, logger) => {
    const { users, refused } = await inTurns(readUserLines(linesIn(bytes), format));
    logRefused(refused, "user", { path }, logger);
    const [first] = refused;
    whyRefused = first === undefined ? "" : `; line ${first.line} is refused: ${first.reason}`;
    return users;
  });
  return {
    name: loggedPath(path),
    async find(username, connection) {
      const users = (await file.current(connection))?.content;
      return users && { value: users.get(username), users };
    },
    async load(start) {
      const names = usableNames(await file.load(start), format);
      if (names.length > 0) return names;
      throw new UserFileError(`${format.kind} ${path} holds no user who could log in${whyRefused}`);
    },
  };
}

function listed<T>(users: ReadonlyMap<string, T>, format: UserFormat<T>): UserValues<T> {
  return {
    name: SOURCE,
    find: async (username) => ({ value: users.get(username), users }),
    async load() {
      const names = usableNames(users, format);
      if (names.length > 0) return names;
      throw new ConfigurationError("source", "holds no user who could log in");
    },
  };
}

function usableNames<T>(users: ReadonlyMap<string, T>, { isUsable = () => true }: UserFormat<T>): readonly string[] {
  return [...users].flatMap(([name, value]) => (isUsable(value) ? name : []));
}

function parseText<T>(text: string, format: UserFormat<T>, logger: Logger): ReadonlyMap<string, T> {
  const { users, refused } = parseUserLines(text, format);
  if (refused.length > 0 && !text.includes(":")) {
    throw new ConfigurationError("source", `is a text without a line ${format.form}; give a file as { file: path }`);
  }
  logRefused(refused, "user", {}, logger);
  return users;
}

function parseMap<T>(
  source: ReadonlyMap<string, string>,
  format: UserFormat<T>,
  logger: Logger,
): ReadonlyMap<string, T> {
  const users = new Map<string, T>();
  for (const [username, value] of source) {
    const parsed = parseValue(username, value, format, logger);
    if (parsed !== undefined) users.set(username, parsed);
  }
  return users;
}

function askEachTime<T>(
  source: Extract<UserSource, (...parameters: never[]) => unknown>,
  format: UserFormat<T>,
  loggerOf: FindLogger,
): UserValues<T> {
  return {
    name: SOURCE,
    async find(username, connection) {
      const value = await source(username);
      const logger = loggerOf(connection);
      return { value: typeof value === "string" ? parseValue(username, value, format, logger) : undefined };
    },
    load: async () => [],
  };
}

function parseValue<T>(username: string, value: string, format: UserFormat<T>, logger: Logger): T | undefined {
  try {
    return format.parse(value);
  } catch (error) {
    const reason = messageOf(error);
    logger.warn({ username: loggedText(username), reason }, "user refused");
    return undefined;
  }
}
