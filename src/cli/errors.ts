/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The server cannot start: exit code 1. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** What went wrong as one line that can be printed to a terminal, whatever was thrown. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split("\n", 1)
    .join("")
    .replaceAll(/\p{Cc}/gu, "?");
}

/** The code of an error from the operating system (`ENOENT`), if it is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
