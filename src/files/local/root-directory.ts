import { ConfigurationError } from "../../base/configuration-error.js";
import { messageOf } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { mkdir } from "./system-calls.js";

/** Permissions of a root directory that did not exist. */
const NEW_ROOT_PERMISSIONS = 0o700;

/** The directory that a tree starts at. It is made where it does not exist; the one above it has to. */
export class RootDirectory {
  readonly #path: string;
  /** Until it was there: if it vanishes later (a disk that is no longer mounted), it must not come back empty. */
  #mayBeCreated = true;

  /** @param path absolute; it may lead through links */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Runs `operation` with the path.
   *
   * @throws {ConfigurationError} where it fails
   */
  async use<T>(operation: (path: string) => Promise<T>): Promise<T> {
    try {
      const result = await this.#createIfMissing(operation);
      this.#mayBeCreated = false;
      return result;
    } catch (error) {
      const reason = messageOf(error);
      throw new ConfigurationError("rootPath", `${this.#path} cannot be served: ${reason}`, { cause: error });
    }
  }

  async #createIfMissing<T>(operation: (path: string) => Promise<T>): Promise<T> {
    try {
      return await operation(this.#path);
    } catch (error) {
      if (!this.#mayBeCreated || systemErrorCode(error) !== "ENOENT") throw error;
    }
    try {
      await mkdir(this.#path, NEW_ROOT_PERMISSIONS);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    }
    return operation(this.#path);
  }
}
