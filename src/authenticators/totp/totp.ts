import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Prompt } from "../../auth/authenticator.js";
import { findLogger } from "../../base/connection-logger.js";
import { loggedText } from "../../base/logged-text.js";
import type { Logger } from "../../base/logger.js";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import { sharedLedgers } from "../../base/shared-ledgers.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../protocol/constants.js";
import { FILE_OPTIONS, type FileOptions } from "../files/file-options.js";
import { type UserSource, userValues } from "../files/user-source.js";
import { CodeNotes } from "./code-notes.js";
import { oneTimeCode, type TotpParameters } from "./one-time-code.js";
import { resolveTotpParameters, type TotpCodeOptions } from "./totp-options.js";
import { parseTotpSecret } from "./totp-secret.js";

/** Options of `totp`. */
export interface TotpOptions extends TotpCodeOptions, FileOptions {
  /**
   * Codes before and after the present one that are accepted, as clocks differ and people take time: 0 to 2. Default 1.
   */
  readonly window?: number;
}

/** A body for `checkAuthKeyboardInteractive`. */
export interface TotpCheck {
  /**
   * Asks for a code. Resolves to AUTH_SUCCESSFUL for one that is right and was not used before, else to AUTH_FAILED.
   *
   * @param connection whose logger is used where none was given
   */
  (username: string, submethods: string, prompt: Prompt, connection?: object): Promise<AuthResult>;
  /**
   * Reads the source now, to fail at the start of the server rather than at the first login.
   *
   * @returns the names of the users who have a secret that can be used; none for a function
   * @throws {UserFileError} when a file cannot be read, or has no such user
   * @throws {ConfigurationError} when another source has none
   */
  load(): Promise<readonly string[]>;
}

const FORMAT = { kind: "file of secrets", form: "name:secret", parse: parseTotpSecret } as const;

/**
 * Codes of authenticator apps (TOTP, RFC 6238). Each is good once; after five wrong ones in a row the user's codes are
 * refused for a while. Users without a secret are asked, too, and refused. Used codes and guesses are kept in memory,
 * by this object alone: use one for all connections. The workers of one server keep them together.
 *
 * @param source lines `name:secret`, the secret in base32; see {@link UserSource}
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function totp(source: UserSource, options: TotpOptions = {}): TotpCheck {
  checkOptions(options, [...FILE_OPTIONS, "algorithm", "digits", "period", "window"]);
  const { window = 1 } = options;
  const parameters = resolveTotpParameters(options);
  const verifier = new TotpVerifier(parameters, checkInteger("window", window, 0, 2));
  const loggerOf = findLogger(options.logger);
  const values = userValues(source, FORMAT, options);
  const nobody = randomBytes(20);

  const check = async (...[username, , prompt, connection]: Parameters<TotpCheck>): Promise<AuthResult> => {
    const [code = ""] = await prompt({ prompts: [{ prompt: "Verification code: ", echo: false }] });
    const found = await values.find(username, connection);
    const known = found?.value === undefined ? undefined : username;
    const isRight = await verifier.verify(known, found?.value ?? nobody, code, loggerOf(connection));
    if (isRight) return AUTH_SUCCESSFUL;
    const who = loggedText(username);
    if (connection !== undefined) {
      const reason =
        known === undefined ? `there is no user ${who} in ${values.name}` : "the code is wrong, or was used";
      noteRefusal(connection, reason);
    }
    return AUTH_FAILED;
  };
  return Object.assign(check, { load: (start?: object) => values.load(start) });
}

/** Compares codes, and asks whether they were used. That is one step: two connections cannot use one code. */
class TotpVerifier {
  readonly #parameters: TotpParameters;
  readonly #window: number;
  readonly #notes = new CodeNotes();

  constructor(parameters: TotpParameters, window: number) {
    this.#parameters = parameters;
    this.#window = window;
  }

  /** @param username of a user who has a secret; without one, the code is compared and refused */
  async verify(username: string | undefined, secret: Buffer, code: string, logger: Logger): Promise<boolean> {
    const now = Date.now() / 1000;
    const { period } = this.#parameters;
    const present = Math.floor(now / period);
    const step = this.#matchingStep(secret, present, code.replaceAll(" ", ""));
    const until = ((step ?? present) + this.#window + 1) * period;
    const shared = sharedLedgers()?.codes;
    const key = shared === undefined || username === undefined ? username : this.#keyOf(username, secret);
    const { isAccepted, pause } = await (shared ?? this.#notes).attempt({ key, step, until, now });
    if (pause > 0 && username !== undefined)
      logger.warn(
        { username: loggedText(username), seconds: pause },
        "too many wrong codes: all are refused for a time",
      );
    return isAccepted;
  }

  /** Stands for a user and a secret in all processes: one secret has the same codes wherever it is read. */
  #keyOf(username: string, secret: Buffer): string {
    const { algorithm, digits, period } = this.#parameters;
    const hash = createHash("sha256")
      .update(JSON.stringify([username, algorithm, digits, period, this.#window]))
      .update(secret);
    return hash.digest("base64");
  }

  /** The step whose code it is. All are compared, to the end. */
  #matchingStep(secret: Buffer, present: number, code: string): number | undefined {
    let matching: number | undefined;
    for (let step = present - this.#window; step <= present + this.#window; step++) {
      if (sameText(oneTimeCode(secret, Math.max(step, 0), this.#parameters), code)) matching = step;
    }
    return matching;
  }
}

function sameText(right: string, given: string): boolean {
  const bytes = Buffer.from(given, "utf8");
  return bytes.length === right.length && timingSafeEqual(Buffer.from(right, "latin1"), bytes);
}
