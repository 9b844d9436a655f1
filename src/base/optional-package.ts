import { loadBesideThis } from "./own-place.js";
import { systemErrorCode } from "./system-error-code.js";

/** A package is not installed. The message names it, and says what to do. */
export class MissingPackageError extends Error {
  override readonly name = "MissingPackageError";
}

/**
 * Loads a package that need not be installed, for a use that needs it.
 *
 * @param use the use that needs it, as the subject of a sentence
 * @param file of the package that is loaded, where it is not the main one
 * @throws {MissingPackageError} that says which package is missing
 * @throws {Error} that says it, and has as its `cause` why the package cannot be loaded, where it is there
 */
export function requirePackage<T>(name: string, use: string, file?: string): T {
  try {
    return loadBesideThis(file === undefined ? name : `${name}/${file}`) as T;
  } catch (error) {
    const message = `${use} need the package ${name}, which cannot be loaded: npm install ${name}`;
    if (systemErrorCode(error) === "MODULE_NOT_FOUND") throw new MissingPackageError(message);
    throw new Error(message, { cause: error });
  }
}
