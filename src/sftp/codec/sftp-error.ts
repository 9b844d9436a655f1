import { FileError, type FileErrorCode } from "../../files/errors.js";
import { StatusCode } from "./constants.js";

/** Codes whose status is not FAILURE. */
const statuses: ReadonlyMap<FileErrorCode, StatusCode> = new Map([
  ["ENOENT", StatusCode.NO_SUCH_FILE],
  ["ENOTDIR", StatusCode.NO_SUCH_FILE],
  ["EACCES", StatusCode.PERMISSION_DENIED],
  ["EPERM", StatusCode.PERMISSION_DENIED],
  ["EROFS", StatusCode.PERMISSION_DENIED],
  ["ENOTSUP", StatusCode.OP_UNSUPPORTED],
  ["EOPNOTSUPP", StatusCode.OP_UNSUPPORTED],
  ["ENOSYS", StatusCode.OP_UNSUPPORTED],
]);

const codes: ReadonlyMap<StatusCode, FileErrorCode> = new Map([
  [StatusCode.NO_SUCH_FILE, "ENOENT"],
  [StatusCode.PERMISSION_DENIED, "EACCES"],
  [StatusCode.OP_UNSUPPORTED, "ENOTSUP"],
]);

/**
 * A failure with a status of its own (draft-ietf-secsh-filexfer-02 §7), where no code of a `FileError` fits. The client
 * is told its message, which must not hold a path of this machine.
 */
export class SFTPError extends FileError {
  override readonly name: string = "SFTPError";
  /** The status that the client is told. */
  readonly status: StatusCode;

  constructor(status: StatusCode, message: string, options?: ErrorOptions) {
    super(codes.get(status) ?? "EIO", message, options);
    this.status = status;
  }
}

/** The status that a client is told of a failure. */
export function statusOf(error: FileError): StatusCode {
  return error instanceof SFTPError ? error.status : (statuses.get(error.code) ?? StatusCode.FAILURE);
}
