import { ConfigurationError } from "../../base/configuration-error.js";
import { findLogger } from "../../base/connection-logger.js";
import { loggedText } from "../../base/logged-text.js";
import { checkOptions, checkText } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../protocol/constants.js";
import type { Connection } from "../../session/connection.js";
import { FILE_OPTIONS, type FileOptions } from "../files/file-options.js";
import type { UserFormat } from "../files/user-lines.js";
import { type UserSource, userValues } from "../files/user-source.js";
import { CheckQueue } from "./check-queue.js";
import { parsePasswordHash } from "./parse-password-hash.js";
import { type PasswordEntry, parsePasswordEntry } from "./password-entry.js";
import { matchesHash, type PasswordHash } from "./password-hash.js";
import { Substitutes } from "./substitutes.js";

export interface PasswordFileOptions extends FileOptions {
  /**
   * For a function as the source: a hash with the cost of the users' own. It is computed for names that have none, so
   * that they take as long. Without it that is the hash of the first user who was found, and until then a new one's
   * cost.
   */
  readonly example?: string;
}

/** The part of a connection that is needed. */
type PasswordConnection = Pick<Connection, "remoteAddress" | "signal" | "reportInvalidUser">;

/** A body for `checkAuthPassword`. */
export interface PasswordCheck {
  (username: string, password: string, connection: PasswordConnection): Promise<AuthResult>;
  /**
   * Reads the source now, to fail at the start of the server rather than at the first login.
   *
   * @returns the names of the users who have a password that can be used; none for a function
   * @throws {UserFileError} when a file cannot be read, or has no such user
   * @throws {ConfigurationError} when another source has none
   */
  load(): Promise<readonly string[]>;
}

const FORMAT: UserFormat<PasswordEntry> = {
  kind: "password file",
  form: "name:hash",
  parse: parsePasswordEntry,
  isUsable: ({ hash }) => hash !== undefined,
};

/**
 * One queue for all authenticators, as Node.js has four threads for all that blocks: two are left to files. Checks that
 * wait beyond this number would wait longer than clients do.
 */
const checks = new CheckQueue({ running: 2, waiting: 128 });

const DAY = 24 * 60 * 60 * 1000;

/**
 * Passwords of many users, kept as hashes: scrypt, argon2, bcrypt and the SHA-crypt of shadow files. How long an answer
 * takes does not tell which names have a password. An empty password lets nobody in, even where its hash is there. A
 * name that has no line is reported to the connection as an invalid user.
 *
 * @param source lines `name:hash`, or of a shadow file; see {@link UserSource}. A map has, and a
 * function gives, the text after the name.
 * @throws {ConfigurationError} when the source or an option cannot be used
 */
export function passwordFile(source: UserSource, options: PasswordFileOptions = {}): PasswordCheck {
  checkOptions(options, [...FILE_OPTIONS, "example"]);
  const loggerOf = findLogger(options.logger);
  const values = userValues(source, FORMAT, options);
  const hashes = new HashesInUse(options.example);
  const substitutes = new Substitutes();

  const check = async (...[username, password, connection]: Parameters<PasswordCheck>): Promise<AuthResult> => {
    const found = await values.find(username, connection);
    if (found === undefined) {
      noteRefusal(connection, `${values.name} cannot be used`);
      return AUTH_FAILED;
    }
    const { value: entry, users } = found;
    if (entry === undefined) connection.reportInvalidUser();
    const all = hashes.of(users, entry);
    const substitute = substitutes.for(username, all);
    const hash = entry?.hash ?? substitute;
    const isRight = await checks.run(connection, () => matchesHash(password, hash, connection.signal));
    if (isRight === undefined && !connection.signal.aborted) {
      loggerOf(connection).warn(
        { username: loggedText(username), address: connection.remoteAddress },
        "password refused: too many are being checked",
      );
    }
    if (isRight !== true || entry?.hash === undefined || password === "") {
      noteRefusal(connection, reasonOf(entry, isRight, loggedText(username), values.name));
      return AUTH_FAILED;
    }
    const refusal = entry.refusal(Math.floor(Date.now() / DAY));
    if (refusal === undefined) return AUTH_SUCCESSFUL;
    noteRefusal(connection, refusal);
    loggerOf(connection).info({ username: loggedText(username), reason: refusal }, "user refused");
    return AUTH_FAILED;
  };
  return Object.assign(check, { load: (start?: object) => values.load(start) });
}

/** For the log, once the same work was done for every name. */
function reasonOf(
  entry: PasswordEntry | undefined,
  isRight: boolean | undefined,
  username: string,
  source: string,
): string {
  if (entry === undefined) return `there is no user ${username} in ${source}`;
  if (entry.hash === undefined) return `the user ${username} has no password in ${source}`;
  if (isRight === undefined) return "the password was not checked: too many are, or the client has left";
  return isRight ? "an empty password lets nobody in" : "the password is wrong";
}

/** The hashes that substitutes are to be like. */
class HashesInUse {
  #users: ReadonlyMap<string, PasswordEntry> | undefined;
  #hashes: readonly PasswordHash[];

  constructor(example: string | undefined) {
    this.#hashes = example === undefined ? [] : [parseExample(checkText("example", example, "a hash"))];
  }

  /** @param found of the user who logs in, for a source that has no list of all */
  of(users: ReadonlyMap<string, PasswordEntry> | undefined, found: PasswordEntry | undefined): readonly PasswordHash[] {
    if (users === undefined) {
      if (this.#hashes.length === 0 && found?.hash !== undefined) this.#hashes = [found.hash];
    } else if (users !== this.#users) {
      this.#users = users;
      this.#hashes = [...users.values()].flatMap(({ hash }) => hash ?? []);
    }
    return this.#hashes;
  }
}

function parseExample(text: string): PasswordHash {
  try {
    return parsePasswordHash(text);
  } catch (error) {
    throw new ConfigurationError("example", error instanceof Error ? error.message : String(error), { cause: error });
  }
}
