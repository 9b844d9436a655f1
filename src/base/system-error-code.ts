import { isError } from "./is-error.js";

/** The name that the operating system, or Node.js, has for a failure (`ENOENT`, …), if it is one of theirs. */
export function systemErrorCode(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
