import { ConfigurationError } from "../../base/configuration-error.js";
import { findLogger } from "../../base/connection-logger.js";
import { messageOf } from "../../base/is-error.js";
import { loggedText } from "../../base/logged-text.js";
import { checkOptions, checkText } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import { sharedLedgers } from "../../base/shared-ledgers.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../protocol/constants.js";
import type { Connection } from "../../session/connection.js";
import { FILE_OPTIONS, type FileOptions } from "../files/file-options.js";
import type { UserFormat } from "../files/user-lines.js";
import { type UserSource, userValues } from "../files/user-source.js";
import { CheckQueue, inTurn } from "./check-queue.js";
import { parsePasswordHash } from "./parse-password-hash.js";
import { type PasswordEntry, parsePasswordEntry } from "./password-entry.js";
import { matchesHash, type PasswordHash } from "./password-hash.js";
import { StandIns } from "./stand-ins.js";

/** Options of `passwordFile`. */
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
  /** Resolves to AUTH_SUCCESSFUL for the right password of a user who is listed, else to AUTH_FAILED. */
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

/** Checks that run together in one process: Node.js has four threads for all that blocks, and two are left to files. */
export const CHECKS_PER_PROCESS = 2;

/** Checks that wait beyond this number would wait longer than clients do. */
export const WAITING_CHECKS = 128;

/** One queue for all authenticators. */
const checks = new CheckQueue({ running: CHECKS_PER_PROCESS, waiting: WAITING_CHECKS });

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
  const standIns = new StandIns(parseExample(options.example));

  const check = async (...[username, password, connection]: Parameters<PasswordCheck>): Promise<AuthResult> => {
    const found = await values.find(username, connection);
    if (found === undefined) {
      noteRefusal(connection, `${values.name} cannot be used`);
      return AUTH_FAILED;
    }
    const { value: entry, users } = found;
    if (entry === undefined) connection.reportInvalidUser();
    const standIn = await standIns.for(username, users, entry);
    const hash = entry?.hash ?? standIn;
    const queue = sharedLedgers()?.passwordChecks ?? checks;
    const isRight = await inTurn(queue, connection, () => matchesHash(password, hash, connection.signal));
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

function parseExample(text: string | undefined): PasswordHash | undefined {
  if (text === undefined) return undefined;
  try {
    return parsePasswordHash(checkText("example", text, "a hash"));
  } catch (error) {
    throw new ConfigurationError("example", messageOf(error), { cause: error });
  }
}
