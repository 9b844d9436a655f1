import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const load = createRequire(import.meta.url);

/** Of the package: this file is two folders below it, in `src/` as in `dist/`. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface NodeGypBuild {
  /** @throws {Error} where there is no file */
  path(folder: string): string;
}

/**
 * The file of the package's own addon that was built for this platform, if there is one: in `prebuilds/`, by the rules of
 * `node-gyp-build`.
 */
export function findOwnAddon(): string | undefined {
  const { path } = load("node-gyp-build") as NodeGypBuild;
  try {
    return path(ROOT);
  } catch {
    return undefined;
  }
}

/** @throws {Error} where the file is not an addon that this Node.js can load */
export function loadAddon(file: string): unknown {
  return load(file);
}
