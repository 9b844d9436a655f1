import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

/** Loads a package that need not be installed: `undefined` where it is not, or does not run on this platform. */
export function findPackage<T>(name: string): T | undefined {
  try {
    return load(name) as T;
  } catch {
    return undefined;
  }
}

/**
 * Loads a package that need not be installed, for a use that needs it.
 *
 * @param use the use that needs it, as the subject of a sentence
 * @throws {Error} that says which package is missing
 */
export function requirePackage<T>(name: string, use: string): T {
  try {
    return load(name) as T;
  } catch (error) {
    throw new Error(`${use} need the package ${name}, which cannot be loaded: npm install ${name}`, { cause: error });
  }
}
