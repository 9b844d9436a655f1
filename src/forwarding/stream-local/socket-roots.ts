import { isAbsolute, resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkText, kindOf } from "../../base/option-checks.js";

/** Longest path of a socket, bytes: `sun_path` of unix(7) holds one more, and of other systems less. */
export const MAX_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/** @throws {ConfigurationError} when the roots are not absolute paths */
export function checkSocketRoots(option: string, roots: readonly string[]): readonly string[] {
  if (!Array.isArray(roots)) throw new ConfigurationError(option, `must be a list of paths, not ${kindOf(roots)}`);
  return roots.map((root: string) => {
    const path = checkText(option, root, "a list of paths");
    if (!isAbsolute(path) || path.includes("\0")) throw new ConfigurationError(option, "must be absolute paths");
    return resolve(path);
  });
}

/** The socket that a path names. */
export interface SocketPath {
  readonly folder: string;
  readonly name: string;
}

/**
 * Reads the path of a socket as a client says it: absolute, and of names alone.
 *
 * @returns `undefined` where no socket is to have this path
 */
export function parseSocketPath(path: string): SocketPath | undefined {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) return undefined;
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) return undefined;
  const names = path.split("/").filter((name) => name !== "");
  const name = names.pop();
  if (name === undefined || [...names, name].some((part) => part === "." || part === "..")) return undefined;
  return { folder: `/${names.join("/")}`, name };
}

/** Whether a location is the root's, or lies in it; both are paths without links. */
export function isInside(root: string, location: string): boolean {
  return location === root || location.startsWith(root.endsWith("/") ? root : `${root}/`);
}
