import { FileError } from "../errors.js";
import { encodeName } from "../path.js";

/** What Windows reads as a separator, a drive, a stream or a wildcard, drops from the end of a name, or takes for a device. */
const UNSAFE_ON_WINDOWS = /[\\:*?"<>|]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\.|$)/i;

/**
 * Where the operating system finds the entry `name` of a directory.
 *
 * @param directory as the operating system knows it
 * @throws {FileError} for what is not one plain name
 */
export function entryPath(directory: string, name: string): Buffer {
  if (name === "" || name === "." || name === ".." || name.includes("/")) throw new FileError("EINVAL");
  if (process.platform === "win32" && UNSAFE_ON_WINDOWS.test(name)) throw new FileError("EINVAL");
  return encodeName(`${directory}/${name}`);
}
