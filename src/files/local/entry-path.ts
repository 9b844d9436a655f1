import { FileError } from "../errors.js";
import { encodeName } from "../path.js";

/** Names with a separator, drive, stream or wildcard of Windows, with an ending that it drops, or of a device. */
const UNSAFE_ON_WINDOWS = /[\\:*?"<>|]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\.|$)/i;

/**
 * The path by which the operating system finds the entry `name` of a directory.
 *
 * @param directory as the operating system knows it
 * @throws {FileError} if `name` is not one plain name
 */
export function entryPath(directory: string, name: string): Buffer {
  if (name === "" || name === "." || name === ".." || name.includes("/")) throw new FileError("EINVAL");
  if (process.platform === "win32" && UNSAFE_ON_WINDOWS.test(name)) throw new FileError("EINVAL");
  return encodeName(`${directory}/${name}`);
}
