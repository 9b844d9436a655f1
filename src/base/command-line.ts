import { literalText, readCommandLine } from "./shell-words.js";

/**
 * A command line cannot be run: it has no words, or a NUL, or cannot be split into words, as only a shell could run it or a quote does
 * not end. The message is fit for clients, who may have sent it.
 */
export class CommandLineError extends Error {
  override readonly name = "CommandLineError";
  /** The status with which shells refuse a line that they cannot read. */
  readonly status = 2;
}

/**
 * The words of a command line as a POSIX shell would read them. Patterns stay as they are.
 *
 * @throws {CommandLineError} when the line needs a shell (`;`, `|`, `$`, …), or a quote does not end
 */
export function commandWords(line: string): string[] {
  const words = readCommandLine(line);
  if (typeof words === "string") throw new CommandLineError(`the command line ${words}`);
  return words.map(literalText);
}
