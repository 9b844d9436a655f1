import { systemErrorCode } from "../base/system-error-code.js";

/** The texts that a client is told for failures, by the names that POSIX has for them. */
const texts = {
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  EEXIST: "File exists",
  ENOTEMPTY: "Directory not empty",
  EISDIR: "Is a directory",
  ENOSPC: "No space left on device",
  EDQUOT: "Disk quota exceeded",
  EFBIG: "File too large",
  ENAMETOOLONG: "File name too long",
  E2BIG: "Argument list too long",
  ELOOP: "Too many levels of symbolic links",
  EXDEV: "Invalid cross-device link",
  EMLINK: "Too many links",
  EMFILE: "Too many open files",
  ENFILE: "Too many open files",
  EBUSY: "Device or resource busy",
  ETXTBSY: "Text file busy",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  ESTALE: "Stale file handle",
  ETIMEDOUT: "Connection timed out",
  ENOTCONN: "Transport endpoint is not connected",
  EHOSTDOWN: "Host is down",
  EBADF: "Bad file descriptor",
  ENOTSUP: "Operation not supported",
  EOPNOTSUPP: "Operation not supported",
  ENOSYS: "Operation not supported",
} as const;

/** The code of a `FileError`, as POSIX names it. */
export type FileErrorCode = keyof typeof texts;

/** A failure of a file operation. The client is told its message, which must not hold a path of this machine. */
export class FileError extends Error {
  override readonly name: string = "FileError";
  /** The failure by its name in POSIX, such as `ENOENT`. */
  readonly code: FileErrorCode;

  /** @param message the text for the client; by default the text of POSIX systems for the code */
  constructor(code: FileErrorCode, message: string = texts[code], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A path leads through a symbolic link, which no method of a file system follows. The server resolves the link inside
 * the same tree and asks again.
 */
export class LinkInPathError extends FileError {
  override readonly name = "LinkInPathError";

  constructor() {
    super("ELOOP");
  }
}

/**
 * The failure that a client is told. The message of an error of the operating system is never told: it holds a path.
 * A failure that is not known here becomes one without a reason.
 */
export function toFileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const code = systemErrorCode(error);
  const options = { cause: error };
  return isFileErrorCode(code) ? new FileError(code, texts[code], options) : new FileError("EIO", "Failure", options);
}

/** Whether a failure says that nothing has the path, because a name of it is missing or is not a directory. */
export function isMissing(error: unknown): boolean {
  const { code } = toFileError(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function isFileErrorCode(code: string | undefined): code is FileErrorCode {
  return code !== undefined && Object.hasOwn(texts, code);
}
