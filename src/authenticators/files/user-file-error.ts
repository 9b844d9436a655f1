/** A file that decides about logins, or that holds the host key, cannot be used. */
export class UserFileError extends Error {
  override readonly name = "UserFileError";
}
