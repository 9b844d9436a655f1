import { createRequire } from "node:module";

/**
 * Loads a package that need not be installed.
 *
 * @param use what it is needed for, as the subject of a sentence
 * @throws {Error} that says which package is missing
 */
export function requirePackage<T>(name: string, use: string): T {
  try {
    return createRequire(import.meta.url)(name) as T;
  } catch (error) {
    throw new Error(`${use} need the package ${name}, which cannot be loaded: npm install ${name}`, { cause: error });
  }
}
