import { ConfigurationError } from "../../base/configuration-error.js";
import { checkOptions } from "../../base/option-checks.js";

/**
 * The path in a source that is a file.
 *
 * @param kinds the sources that are possible, for the error
 * @throws {ConfigurationError} when it is something else, or has options beside the path
 */
export function sourceFile(option: string, source: { readonly file: string }, kinds: string): string {
  const [path, ...others] = sourceFiles(option, source, kinds);
  if (path !== undefined && others.length === 0 && !Array.isArray(source.file)) return path;
  throw new ConfigurationError(`${option}.file`, "must be one path");
}

/** The same for a source that may be several files. */
export function sourceFiles(
  option: string,
  source: { readonly file: string | readonly string[] },
  kinds: string,
): readonly string[] {
  if (typeof source !== "object" || source === null || Array.isArray(source)) {
    throw new ConfigurationError(option, `must be ${kinds}`);
  }
  const { file } = checkOptions(source, ["file"], option);
  const files = typeof file === "string" ? [file] : file;
  if (Array.isArray(files) && files.length > 0 && files.every((path) => typeof path === "string" && path !== "")) {
    return files;
  }
  throw new ConfigurationError(`${option}.file`, "must be a path");
}
