import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Prompt } from "../../auth/authenticator.js";
import { findLogger } from "../../base/connection-logger.js";
import { loggedText } from "../../base/logged-text.js";
import type { Logger } from "../../base/logger.js";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../protocol/constants.js";
import { FILE_OPTIONS, type FileOptions } from "../files/file-options.js";
import { type UserSource, userValues } from "../files/user-source.js";
import { GuessLimit } from "./guess-limit.js";
import { oneTimeCode, type TotpParameters } from "./one-time-code.js";
import { resolveTotpParameters, type TotpCodeOptions } from "./totp-options.js";
import { parseTotpSecret } from "./totp-secret.js";
import { UsedCodes } from "./used-codes.js";

export interface TotpOptions extends TotpCodeOptions, FileOptions {
  /**
   * Codes before and after the present one that are accepted, as clocks differ and people take time: 0 to 2. Default 1.
   */
  readonly window?: number;
}

/** A body for `checkAuthKeyboardInteractive`. */
export interface TotpCheck {
  /** @param connection whose logger is used where none was given */
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
 * by this object alone: use one for all connections.
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
    const isRight = verifier.verify(known, found?.value ?? nobody, code, loggerOf(connection));
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

/** The memory of codes that were given. Nothing here waits: two connections cannot use one code. */
class TotpVerifier {
  readonly #parameters: TotpParameters;
  readonly #window: number;
  readonly #used = new UsedCodes();
  readonly #guesses = new GuessLimit();

  constructor(parameters: TotpParameters, window: number) {
    this.#parameters = parameters;
    this.#window = window;
  }

  /** @param username of a user who has a secret; without one, the code is compared and refused */
  verify(username: string | undefined, secret: Buffer, code: string, logger: Logger): boolean {
    const now = Date.now() / 1000;
    const present = Math.floor(now / this.#parameters.period);
    const step = this.#matchingStep(secret, present, code.replaceAll(" ", ""));
    if (username === undefined || this.#guesses.isPaused(username, now)) return false;
    if (step === undefined || this.#used.isUsed(username, step)) {
      const pause = this.#guesses.failed(username, now);
      if (pause > 0)
        logger.warn(
          { username: loggedText(username), seconds: pause },
          "too many wrong codes: all are refused for a time",
        );
      return false;
    }
    this.#guesses.succeeded(username);
    this.#used.use(username, step, present - this.#window);
    return true;
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
