import type { AccessRefusal } from "./access-refusals.js";
import { FileError } from "./errors.js";

/** A client must not do something. */
export class AccessDeniedError extends FileError {
  override readonly name = "AccessDeniedError";
  readonly refusal: AccessRefusal;

  /** @param code ENOENT where the client must not know that there is something, EBUSY where it may try again */
  constructor(refusal: AccessRefusal, code: "EACCES" | "ENOENT" | "EBUSY" = "EACCES") {
    super(code);
    this.refusal = refusal;
  }
}
