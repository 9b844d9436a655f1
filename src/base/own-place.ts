import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Of this file. A bundle may know no place of its own; the program that runs is beside what it needs then. */
function ownPlace(): string {
  try {
    if (import.meta.url) return import.meta.url;
  } catch {
    // As an ES module made of CommonJS.
  }
  return pathToFileURL(process.argv[1] ?? join(process.cwd(), "program.js")).href;
}

let load: NodeJS.Require | undefined;

/**
 * Loads a package, or a file of it, or an addon, when it is needed: what need not be there, and what bundles do not hold.
 *
 * @throws {Error} where it is not there, or cannot be loaded
 */
export function loadBesideThis(name: string): unknown {
  load ??= createRequire(ownPlace());
  return load(name);
}

/** The folder of the package: this file is two folders below it, in `src/` as in `dist/`. */
export function packageFolder(): string {
  return fileURLToPath(new URL("../..", ownPlace()));
}
