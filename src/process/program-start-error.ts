/** The status with which shells report a program that is not there, and one that cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const TEXTS = { [NOT_FOUND]: "command not found", [NOT_EXECUTABLE]: "the command cannot be run" } as const;

/** A program could not be started. The message is fit for clients: it has no paths. The `cause` is for the log. */
export class ProgramStartError extends Error {
  override readonly name = "ProgramStartError";
  /** The exit status that tells it: 127 where the program is not there, 126 where it cannot be run. */
  readonly status: 126 | 127;

  constructor(cause: unknown) {
    const status = isMissing(cause) ? NOT_FOUND : NOT_EXECUTABLE;
    super(TEXTS[status], { cause });
    this.status = status;
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
}
