import { MissingPackageError } from "../base/optional-package.js";
import { systemErrorCode } from "../base/system-error-code.js";
import { portOf } from "../connection/channel.js";
import { ExitError } from "../session/exit-error.js";
import type { SessionChannel } from "../session/session-channel.js";

/** The status with which shells report a program that is not there, and one that cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const TEXTS = { [NOT_FOUND]: "command not found", [NOT_EXECUTABLE]: "the command cannot be run" } as const;

/**
 * A program could not be started: the status is 127 where it is not there, and 126 where it cannot be run, or has no terminal. The
 * message is fit for clients, it has no paths; the log has the `cause`.
 */
export class ProgramStartError extends ExitError {
  override readonly name = "ProgramStartError";

  /** @param text for the client, where the reason is not that of the program's file */
  constructor(cause: unknown, text?: string) {
    const status = text === undefined && isMissing(cause) ? NOT_FOUND : NOT_EXECUTABLE;
    super(status, text ?? TEXTS[status], { cause });
  }
}

/** Tells the log why a program could not be started. Other errors are for the caller. */
export function noteStartError(channel: SessionChannel, error: unknown): void {
  if (!(error instanceof ProgramStartError)) return;
  const { cause } = error;
  const fields = cause instanceof MissingPackageError ? { reason: cause.message } : { err: cause };
  portOf(channel).warn("a program could not be started", fields);
}

function isMissing(cause: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(systemErrorCode(cause) ?? "");
}
