import { systemErrorCode } from "../base/system-error-code.js";
import { StatusCode } from "./codec/constants.js";

/**
 * A request that fails with a status of its own (draft-ietf-secsh-filexfer-02 §7). The message is sent to the client:
 * it must not name anything that the client is not to know.
 */
export class SFTPError extends Error {
  override readonly name: string = "SFTPError";
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A path leads through a symbolic link, which no method of a file system follows. The server resolves the link inside
 * the same tree and asks again.
 */
export class LinkInPathError extends SFTPError {
  override readonly name = "LinkInPathError";

  constructor() {
    super(StatusCode.FAILURE, "Too many levels of symbolic links");
  }
}

/** What a client is told of the errors of an operating system, by `code`: never their own texts, which hold paths. */
const systemErrors: ReadonlyMap<string, readonly [StatusCode, string]> = new Map([
  ["ENOENT", [StatusCode.NO_SUCH_FILE, "No such file or directory"]],
  ["ENOTDIR", [StatusCode.NO_SUCH_FILE, "Not a directory"]],
  ["EACCES", [StatusCode.PERMISSION_DENIED, "Permission denied"]],
  ["EPERM", [StatusCode.PERMISSION_DENIED, "Operation not permitted"]],
  ["EROFS", [StatusCode.PERMISSION_DENIED, "Read-only file system"]],
  ["EEXIST", [StatusCode.FAILURE, "File exists"]],
  ["ENOTEMPTY", [StatusCode.FAILURE, "Directory not empty"]],
  ["EISDIR", [StatusCode.FAILURE, "Is a directory"]],
  ["ENOSPC", [StatusCode.FAILURE, "No space left on device"]],
  ["EDQUOT", [StatusCode.FAILURE, "Disk quota exceeded"]],
  ["EFBIG", [StatusCode.FAILURE, "File too large"]],
  ["ENAMETOOLONG", [StatusCode.FAILURE, "File name too long"]],
  ["ELOOP", [StatusCode.FAILURE, "Too many levels of symbolic links"]],
  ["EXDEV", [StatusCode.FAILURE, "Invalid cross-device link"]],
  ["EMLINK", [StatusCode.FAILURE, "Too many links"]],
  ["EMFILE", [StatusCode.FAILURE, "Too many open files"]],
  ["ENFILE", [StatusCode.FAILURE, "Too many open files"]],
  ["EBUSY", [StatusCode.FAILURE, "Device or resource busy"]],
  ["ETXTBSY", [StatusCode.FAILURE, "Text file busy"]],
  ["EINVAL", [StatusCode.FAILURE, "Invalid argument"]],
  ["EIO", [StatusCode.FAILURE, "Input/output error"]],
  ["ESTALE", [StatusCode.FAILURE, "Stale file handle"]],
  ["ETIMEDOUT", [StatusCode.FAILURE, "Connection timed out"]],
  ["ENOTCONN", [StatusCode.FAILURE, "Transport endpoint is not connected"]],
  ["EHOSTDOWN", [StatusCode.FAILURE, "Host is down"]],
  ["EBADF", [StatusCode.FAILURE, "Bad file descriptor"]],
  ["ENOTSUP", [StatusCode.OP_UNSUPPORTED, "Operation not supported"]],
  ["EOPNOTSUPP", [StatusCode.OP_UNSUPPORTED, "Operation not supported"]],
  ["ENOSYS", [StatusCode.OP_UNSUPPORTED, "Operation not supported"]],
]);

/** What a client is told of a failure. Whatever is not known here is a failure without a reason. */
export function toSFTPError(error: unknown): SFTPError {
  if (error instanceof SFTPError) return error;
  const [code, text] = systemErrors.get(systemErrorCode(error) ?? "") ?? [StatusCode.FAILURE, "Failure"];
  return new SFTPError(code, text, { cause: error });
}

/** The failure of what the file system has no method for. */
export function unsupported(): SFTPError {
  return systemError("ENOTSUP");
}

/** The failure that an operating system would report as `name`: `ENOENT`, `EEXIST`, … */
export function systemError(name: string): SFTPError {
  const [code, text] = systemErrors.get(name) ?? [StatusCode.FAILURE, "Failure"];
  return new SFTPError(code, text);
}
