import { Grant } from "../auth/grant.js";
import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../base/another-copy.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { findLogger } from "../base/connection-logger.js";
import { loggedText } from "../base/logged-text.js";
import { checkNotUndefined, checkOptions } from "../base/option-checks.js";
import { noteRefusal } from "../base/refusal-reasons.js";
import { type Certificate, PKey } from "../crypto/pkey/pkey.js";
import { AUTH_FAILED } from "../protocol/constants.js";
import type { Connection } from "../session/connection.js";
import {
  objection,
  otherCommand,
  type PublicKeyCheck,
  type PublicKeyHook,
  permitsUserEnvironment,
} from "./authorized-keys/authorized-keys.js";
import { parseKeyBlob } from "./authorized-keys/key-line.js";
import { type PrincipalLine, parsePrincipalLine } from "./authorized-keys/principal-line.js";
import { sourceFiles } from "./files/file-source.js";
import {
  LINE_SOURCE_OPTIONS,
  type LineReader,
  LineSet,
  type LineSource,
  type LineSourceOptions,
} from "./files/line-source.js";

/** Names of principals, or where lines of AuthorizedPrincipalsFile come from. */
export type PrincipalsSource =
  | { readonly file: string | readonly string[] }
  | ((
      username: string,
      connection: Connection,
      key: PKey,
    ) => string | readonly string[] | undefined | Promise<string | readonly string[] | undefined>);

/** Options of `trustedUserCAs`. */
export interface TrustedUserCAsOptions extends LineSourceOptions {
  /**
   * Principals: a certificate has to name one of them to log in as a user. A list of names, or lines of an
   * AuthorizedPrincipalsFile in sshd_config(5), each a name behind options of authorized_keys. `undefined` or nothing
   * lets nobody in. By default a certificate has to name the user.
   */
  readonly principals?: PrincipalsSource;
  /** As PermitUserEnvironment of sshd_config(5), for `environment=` of lines of principals. Default false. */
  readonly permitUserEnvironment?: boolean;
}

/**
 * Lets in users with a certificate of one of these authorities, as TrustedUserCAKeys of sshd_config(5).
 *
 * @param source the authorities' keys; as text one a line, without options
 * @throws {ConfigurationError} when an option cannot be used
 */
export function trustedUserCAs(
  source: LineSource | readonly PKey[],
  options: TrustedUserCAsOptions = {},
): PublicKeyCheck {
  checkOptions(options, [...LINE_SOURCE_OPTIONS, "principals", "permitUserEnvironment"]);
  checkNotUndefined(options, ["principals"]);
  const withVariables = permitsUserEnvironment(options);
  const trusted = authorities(source, options);
  const loggerOf = findLogger(options.logger);
  const principals = options.principals === undefined ? undefined : principalLines(options.principals, options);

  const check: PublicKeyHook = async (username, key, connection) => {
    const { certificate } = key;
    if (certificate === undefined) {
      noteRefusal(connection, "a certificate is needed, and this is a plain key");
      return AUTH_FAILED;
    }
    if (!(await trusted.include(certificate, username, connection, key))) {
      noteRefusal(connection, "the authority of the certificate is not among the trusted ones");
      return AUTH_FAILED;
    }
    const refuse = (reason: string) => {
      noteRefusal(connection, reason);
      loggerOf(connection).info(
        { username: loggedText(username), connection: connection.id, reason },
        "certificate not accepted",
      );
      return AUTH_FAILED;
    };
    if (principals === undefined) {
      if (!certificate.validPrincipals.includes(username)) return refuse("the certificate does not name the user");
      return new Grant({ authority: certificate.signatureKey, touch: "optional" });
    }
    // The first line with one of the names decides, as in sshd.
    const line = await firstNamed(principals.read(username, connection, key), certificate);
    if (line === undefined) return refuse("the certificate names none of the principals");
    const { permissions, touch, verification } = line.options;
    const reason = objection(line.options, connection);
    if (reason !== undefined) return refuse(reason);
    if (otherCommand(permissions, certificate)) return refuse("the certificate forces another command");
    return new Grant({
      authority: certificate.signatureKey,
      permissions: withVariables ? permissions : { ...permissions, environment: {} },
      touch,
      verification,
    });
  };
  const load = async (start?: object) => {
    await trusted.load(start);
    await principals?.load(start);
  };
  return Object.assign(check, { load });
}

/** The authorities that a source names. */
interface Authorities {
  include({ signatureKey }: Certificate, ...reader: LineReader): Promise<boolean>;
  load(start: object | undefined): Promise<void>;
}

function authorities(source: LineSource | readonly PKey[], options: LineSourceOptions): Authorities {
  if (isKeyList(source)) {
    const blobs = source.map((key) => checkAuthority(key).publicBlob);
    return {
      include: async ({ signatureKey }) => blobs.some((blob) => blob.equals(signatureKey.publicBlob)),
      load: async () => {
        if (blobs.length === 0) throw new ConfigurationError("source", "names no authority");
      },
    };
  }
  const lines = new LineSet("trusted user CA key", source, ({ content }) => ({ blob: parseKeyBlob(content) }), options);
  return {
    async include({ signatureKey }, ...reader) {
      for await (const { entries } of lines.read(...reader)) {
        if (entries.some(({ blob }) => blob.equals(signatureKey.publicBlob))) return true;
      }
      return false;
    },
    load: (start) => lines.load(start),
  };
}

function isKeyList(source: LineSource | readonly PKey[]): source is readonly PKey[] {
  return Array.isArray(source);
}

function checkAuthority(key: PKey): PKey {
  if (!(key instanceof PKey)) {
    throw new ConfigurationError("source", isOfAnotherCopy(key, PKey) ? OF_ANOTHER_COPY : "must be a list of PKeys");
  }
  if (key.certificate === undefined) return key;
  throw new ConfigurationError("source", "a certificate cannot be an authority: give the key in it");
}

function principalLines(source: PrincipalsSource, options: LineSourceOptions): LineSet<PrincipalLine> {
  const texts: LineSource =
    typeof source !== "function"
      ? { file: sourceFiles("principals", source, "{ file } or a function") }
      : async (...reader) => {
          const given = await source(...reader);
          return typeof given === "object" ? given.map(checkName).join("\n") : given;
        };
  return new LineSet("principal", texts, parsePrincipalLine, options, "principals");
}

/** In a list each element is a name and nothing else, least of all a line with options. */
function checkName(name: string): string {
  if (/^[^\s#"]+$/.test(name)) return name;
  throw new ConfigurationError("principals", "a name of a list is empty, or holds white space, # or a quote");
}

async function firstNamed(
  texts: ReturnType<LineSet<PrincipalLine>["read"]>,
  { validPrincipals }: Certificate,
): Promise<PrincipalLine | undefined> {
  for await (const { entries } of texts) {
    const line = entries.find(({ principal }) => validPrincipals.includes(principal));
    if (line !== undefined) return line;
  }
  return undefined;
}
