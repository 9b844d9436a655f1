import { isAbsolute, resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkText, kindOf } from "../../base/option-checks.js";

/** @throws {ConfigurationError} when the roots are not absolute paths */
export function checkSocketRoots(option: string, roots: readonly string[]): readonly string[] {
  if (!Array.isArray(roots)) throw new ConfigurationError(option, `must be a list of paths, not ${kindOf(roots)}`);
  return roots.map((root: string) => {
    const path = checkText(option, root, "a list of paths");
    if (!isAbsolute(path) || path.includes("\0")) throw new ConfigurationError(option, "must be absolute paths");
    return resolve(path);
  });
}

/** Whether a location is the root's, or lies in it; both are paths without links. */
export function isInside(root: string, location: string): boolean {
  return location === root || location.startsWith(root.endsWith("/") ? root : `${root}/`);
}
