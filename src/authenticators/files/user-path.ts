import { dirname } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";

/** Longest name of a file, bytes. */
const MAX_NAME_LENGTH = 255;

/**
 * The path of a file that holds `%u` for the name of a user, and `%%` for a percent sign.
 *
 * @returns for each user name its path; `undefined` for a name that could lead elsewhere
 * @throws {ConfigurationError} when the path holds another `%`
 */
export function userPath(option: string, pattern: string): (username: string) => string | undefined {
  if (pattern === "" || pattern.includes("\0")) throw new ConfigurationError(option, "is not a path");
  const [wrong] = pattern.replaceAll(/%[u%]/g, "").match(/%.?/) ?? [];
  if (wrong !== undefined) throw new ConfigurationError(option, `${wrong} is neither %u nor %%`);
  const namesUser = pattern.replaceAll("%%", "").includes("%u");
  return (username) => {
    if (namesUser && !isFileName(username)) return undefined;
    return pattern.replaceAll(/%([u%])/g, (_, letter) => (letter === "u" ? username : "%"));
  };
}

/** The last folder of such a path that is the same for all users; `undefined` where the file itself is. */
export function commonFolder(pattern: string): string | undefined {
  // Letters that are not those of a percent sign.
  const [common = "", ...rest] = pattern.replaceAll("%%", "\0").split("%u");
  return rest.length === 0 ? undefined : dirname(`${common}_`).replaceAll("\0", "%");
}

/** One name in a folder, on any system; none that is hidden, nor an option to a program. */
function isFileName(name: string): boolean {
  return /^[^.\-/\\:\p{Cc}\p{Cs}][^/\\:\p{Cc}\p{Cs}]*$/u.test(name) && Buffer.byteLength(name) <= MAX_NAME_LENGTH;
}
