import { loadBesideThis } from "./own-place.js";

/**
 * Loads a package that need not be installed, for a use that needs it.
 *
 * @param use the use that needs it, as the subject of a sentence
 * @param file of the package that is loaded, where it is not the main one
 * @throws {Error} that says which package is missing
 */
export function requirePackage<T>(name: string, use: string, file?: string): T {
  try {
    return loadBesideThis(file === undefined ? name : `${name}/${file}`) as T;
  } catch (error) {
    throw new Error(`${use} need the package ${name}, which cannot be loaded: npm install ${name}`, { cause: error });
  }
}
