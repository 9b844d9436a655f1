/** A file that says who may log in, or who the server is, cannot be used. */
export class UserFileError extends Error {
  override readonly name = "UserFileError";
}
