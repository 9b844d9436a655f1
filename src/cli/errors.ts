import { printableText } from "./printable-text.js";

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The server cannot start: exit code 1. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** The error as one line that can be printed to a terminal, also where the value that was thrown is not an Error. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printableText(text.split("\n", 1).join(""));
}
