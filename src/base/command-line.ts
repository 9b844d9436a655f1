import { literalText, splitCommandLine } from "./shell-words.js";

/** A command line cannot be split into words: only a shell could run it, or a quote does not end. */
export class CommandLineError extends Error {
  override readonly name = "CommandLineError";
}

/**
 * The words of a command line as a POSIX shell would read them. Patterns stay as they are.
 *
 * @throws {CommandLineError} when the line needs a shell (`;`, `|`, `$`, …), or a quote does not end
 */
export function commandWords(line: string): string[] {
  const words = splitCommandLine(line);
  if (words === undefined) throw new CommandLineError("the command line needs a shell, or a quote in it does not end");
  return words.map(literalText);
}
