import { type AuthDecision, Grant } from "../../auth/grant.js";
import type { Permissions } from "../../auth/permissions.js";
import { findLogger } from "../../base/connection-logger.js";
import { loggedText } from "../../base/logged-text.js";
import { checkFlag, checkOptions } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import type { Certificate, PKey } from "../../crypto/pkey/pkey.js";
import { AUTH_FAILED } from "../../protocol/constants.js";
import type { Connection } from "../../session/connection.js";
import { LINE_SOURCE_OPTIONS, LineSet, type LineSource, type LineSourceOptions, nameOf } from "../files/line-source.js";
import { type KeyLine, parseKeyLine } from "./key-line.js";
import type { KeyOptions } from "./key-options.js";

/** Options of `authorizedKeys`. */
export interface AuthorizedKeysOptions extends LineSourceOptions {
  /**
   * Whether the variables of `environment=` count, as PermitUserEnvironment of sshd_config(5). Default false: some
   * variables let a user run programs that a forced command should not.
   */
  readonly permitUserEnvironment?: boolean;
}

/** The hook `checkAuthPublickey` of a class, and `publicKey` of a declaration. */
export type PublicKeyHook = (
  username: string,
  key: PKey,
  connection: Connection,
  algorithm: string,
) => Promise<AuthDecision>;

/** A body for `checkAuthPublickey`. */
export interface PublicKeyCheck extends PublicKeyHook {
  /**
   * Reads now everything that is the same for all users, to fail at the start of the server rather than at the first
   * login. The rest depends on the user and is read at logins alone: the text of a function, a file with `%u`, and any
   * file with `owner`.
   *
   * @throws {UserFileError} when a file cannot be read, or the files of one kind have no line that can be used
   * @throws {ConfigurationError} when another source has none
   */
  load(): Promise<void>;
}

/**
 * Lets in users whose keys stand in lines of authorized_keys, with all of their options (sshd(8)): `authorizedKeys({
 * file: "/etc/ssh/keys/%u" })`. A `cert-authority` line is for certificates of that authority, every other for the key
 * itself. A line that cannot be used lets nobody in, and the log tells its number; the others count.
 *
 * @throws {ConfigurationError} when an option cannot be used, or a text that is the source has no usable line
 */
export function authorizedKeys(source: LineSource, options: AuthorizedKeysOptions = {}): PublicKeyCheck {
  checkOptions(options, [...LINE_SOURCE_OPTIONS, "permitUserEnvironment"]);
  const lines = new LineSet("authorized key", source, parseKeyLine, options);
  const loggerOf = findLogger(options.logger);
  const withVariables = permitsUserEnvironment(options);

  const check: PublicKeyHook = async (username, key, connection) => {
    for await (const { origin, entries } of lines.read(username, connection, key)) {
      const about = entries.filter((entry) => isAbout(entry, key));
      if (about.length === 0) {
        noteRefusal(
          connection,
          `${nameOf(origin)} does not have the ${key.certificate ? "authority of the certificate" : "key"}`,
        );
      }
      for (const entry of about) {
        const reason =
          objection(entry.options, connection) ?? objectionToCertificate(entry.options, username, key.certificate);
        if (reason === undefined) return grant(entry.options, key, withVariables);
        noteRefusal(connection, `${nameOf(origin)}, line ${entry.line}: ${reason}`);
        loggerOf(connection).info(
          { ...origin, line: entry.line, username: loggedText(username), connection: connection.id, reason },
          "authorized key not accepted",
        );
      }
    }
    return AUTH_FAILED;
  };
  return Object.assign(check, { load: (start?: object) => lines.load(start) });
}

/** @throws {ConfigurationError} when the option is neither true nor false */
export function permitsUserEnvironment({
  permitUserEnvironment = false,
}: Pick<AuthorizedKeysOptions, "permitUserEnvironment">): boolean {
  return checkFlag("permitUserEnvironment", permitUserEnvironment);
}

function isAbout({ blob, options }: KeyLine, key: PKey): boolean {
  if (key.certificate === undefined) return options.role === "user" && key.publicBlob.equals(blob);
  return options.role === "authority" && key.certificate.signatureKey.publicBlob.equals(blob);
}

/** Why the options do not allow a login now and from there; for the log. */
export function objection({ from, expiry }: KeyOptions, { remoteAddress }: Connection): string | undefined {
  if (from !== undefined && !from.allows(remoteAddress)) return `not from ${remoteAddress ?? "an unknown address"}`;
  if (expiry !== undefined && Math.floor(Date.now() / 1000) > expiry) return "the line has expired";
  return undefined;
}

/** Why the line is not for this certificate of its authority. */
function objectionToCertificate(
  { principals, permissions }: KeyOptions,
  username: string,
  certificate: Certificate | undefined,
): string | undefined {
  if (certificate === undefined) return undefined;
  if (!(principals ?? [username]).some((name) => certificate.validPrincipals.includes(name))) {
    return "the certificate names none of the principals";
  }
  return otherCommand(permissions, certificate) ? "the certificate forces another command" : undefined;
}

/** Two commands cannot both be the only one: another line may have none. */
export function otherCommand({ forceCommand }: Permissions, certificate: Certificate): boolean {
  return forceCommand !== undefined && (certificate.forceCommand ?? forceCommand) !== forceCommand;
}

function grant({ permissions, touch, verification }: KeyOptions, { certificate }: PKey, withVariables: boolean): Grant {
  return new Grant({
    permissions: withVariables ? permissions : { ...permissions, environment: {} },
    touch,
    verification,
    ...(certificate && { authority: certificate.signatureKey }),
  });
}
