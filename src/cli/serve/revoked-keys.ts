import type { Logger } from "pino";
import { MAXIMUM_REVOKED_KEYS_SIZE, type RevokedKeys, revokedKeys } from "../../authenticators/revoked-keys.js";
import { RevocationList } from "../../crypto/revocation/revocation-list.js";
import { describeError, StartError } from "../errors.js";
import { readAtStart } from "./read-at-start.js";

/**
 * Knows the keys and certificates that a file revokes; it is read again when it has changed.
 *
 * @throws {StartError} when the file cannot be used: nobody could log in
 */
export async function loadRevokedKeys(path: string, logger: Logger): Promise<RevokedKeys> {
  const bytes = await readAtStart(path, MAXIMUM_REVOKED_KEYS_SIZE);
  try {
    RevocationList.parse(bytes);
  } catch (error) {
    throw new StartError(`the revoked keys ${path} cannot be used: ${describeError(error)}`, { cause: error });
  }
  return revokedKeys({ file: path }, { logger });
}
