import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** PATH, and behind it where the programs of an administrator are, which the PATH of a user may leave out. */
const FOLDERS = [
  ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
];

/** The path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return findFile(FOLDERS.map((folder) => join(folder, name)).filter(isExecutable));
}

/** The first of these files that is there. */
export function findFile(candidates: readonly string[]): string | undefined {
  return candidates.find((file) => existsSync(file));
}

/**
 * The path of a Python that has a package. The packages of a distribution belong to one Python, and the first in PATH
 * may be another.
 */
export function findPython(packageName: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, "python3"))
    .filter(isExecutable)
    .find((python) => packageFolders(dirname(dirname(python))).some((folder) => existsSync(join(folder, packageName))));
}

function packageFolders(prefix: string): string[] {
  const library = join(prefix, "lib");
  if (!existsSync(library)) return [];
  return readdirSync(library)
    .filter((name) => name.startsWith("python3"))
    .flatMap((name) => ["dist-packages", "site-packages"].map((folder) => join(library, name, folder)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
