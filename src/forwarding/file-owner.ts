import { checkInteger, checkOptions } from "../base/option-checks.js";
import type { FileOwner } from "../session/file-owner.js";

/** The largest number of a user or a group: one more leaves it as it is (chown(2)). */
const MAX_ID = 2 ** 32 - 2;

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkFileOwner(options: FileOwner): FileOwner {
  const owner = checkOptions(options, ["uid", "gid"]);
  for (const name of ["uid", "gid"] as const) {
    if (owner[name] !== undefined) checkInteger(name, owner[name], 0, MAX_ID);
  }
  return owner;
}
