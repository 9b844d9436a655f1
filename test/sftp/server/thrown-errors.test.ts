import { describe, expect, it } from "vitest";
import { FileError, type FileErrorCode } from "../../../src/files/errors.js";
import { PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { SFTPError } from "../../../src/sftp/codec/sftp-error.js";
import { startSession } from "./session.js";

const { NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, CONNECTION_LOST, OP_UNSUPPORTED } = StatusCode;

/** What a client is told of a file system whose `lstat` throws the error. */
async function told(error: unknown): Promise<unknown> {
  const { client } = await startSession({ lstat: () => Promise.reject(error) });
  return client.status(PacketType.LSTAT, "/x");
}

describe("the status and text of an error that a file system throws", () => {
  it.each<[code: FileErrorCode, status: StatusCode, text: string]>([
    ["ENOENT", NO_SUCH_FILE, "No such file or directory"],
    ["ENOTDIR", NO_SUCH_FILE, "Not a directory"],
    ["EACCES", PERMISSION_DENIED, "Permission denied"],
    ["EPERM", PERMISSION_DENIED, "Operation not permitted"],
    ["EROFS", PERMISSION_DENIED, "Read-only file system"],
    ["ENOTSUP", OP_UNSUPPORTED, "Operation not supported"],
    ["EOPNOTSUPP", OP_UNSUPPORTED, "Operation not supported"],
    ["ENOSYS", OP_UNSUPPORTED, "Operation not supported"],
    ["EEXIST", FAILURE, "File exists"],
    ["EDQUOT", FAILURE, "Disk quota exceeded"],
  ])("%s, from the operating system or as a FileError", async (code, status, text) => {
    expect(await told(new FileError(code))).toEqual({ code: status, message: text });
    const ofSystem = Object.assign(new Error(`${code}: /real/path`), { code });
    expect(await told(ofSystem)).toEqual({ code: status, message: text });
  });

  it("a FileError with a text of its own: the same status, with that text", async () => {
    const error = new FileError("ENOENT", "No such report");
    expect(await told(error)).toEqual({ code: NO_SUCH_FILE, message: "No such report" });
  });

  it("an SFTPError: its own status and text", async () => {
    for (const status of [NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, CONNECTION_LOST, OP_UNSUPPORTED]) {
      expect(await told(new SFTPError(status, "so it is"))).toEqual({ code: status, message: "so it is" });
    }
  });

  it.each(["ERR_OUT_OF_RANGE", "constructor", "__proto__"])("a code that is not known, %s: no reason", async (code) => {
    const error = Object.assign(new Error("/real/path"), { code });
    expect(await told(error)).toEqual({ code: FAILURE, message: "Failure" });
  });
});

it("an SFTPError says what is missing, refused or not possible as a FileError does", () => {
  const codes = [NO_SUCH_FILE, PERMISSION_DENIED, OP_UNSUPPORTED, FAILURE].map(
    (status) => new SFTPError(status, "").code,
  );
  expect(codes).toEqual(["ENOENT", "EACCES", "ENOTSUP", "EIO"]);
});
