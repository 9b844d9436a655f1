import { UserFileError } from "../../authenticators/files/user-file-error.js";
import { ConfigurationError } from "../../base/configuration-error.js";
import { kindOf } from "../../base/option-checks.js";
import { KeyError } from "../../crypto/keys/key-error.js";
import type { HostKey } from "../../crypto/pkey/host-key.js";
import { isHostKey } from "./host-key-checks.js";
import { type HostKeyFile, hostKeyInFolder, loadHostKey } from "./host-key-file.js";

/** The path of a file with a host key, which is made with mode 0600 if it is not there; a key; or another signer. */
export type HostKeyOption = string | HostKey | readonly (string | HostKey)[];

/** @throws {ConfigurationError} when the option is none of these */
export function checkHostKeyOption(option: HostKeyOption): readonly (string | HostKey)[] {
  const keys = typeof option === "string" || !Array.isArray(option) ? [option as string | HostKey] : option;
  if (keys.length === 0) throw new ConfigurationError("hostKey", "at least one host key is needed");
  for (const key of keys) {
    if (key === "" || (typeof key !== "string" && !isHostKey(key))) {
      const given = key === "" ? "an empty text" : kindOf(key);
      throw new ConfigurationError("hostKey", `must be the path of a file, a PKey or another HostKey, not ${given}`);
    }
  }
  return keys;
}

/**
 * The keys, those of files read.
 *
 * @param created is told of each file that was made
 * @throws {ConfigurationError} when a file cannot be read or made, holds no private key, or can be read by other users
 */
export function loadHostKeys(
  keys: readonly (string | HostKey)[],
  created: (path: string, key: HostKeyFile["key"]) => void,
): Promise<readonly HostKey[]> {
  return load(keys, async (path) => {
    const file = await hostKeyInFolder(path);
    if (file.created) created(path, file.key);
    return file.key;
  });
}

/**
 * The keys of a server that has its own already, those of files read: a new one would be a surprise to its clients.
 *
 * @throws {ConfigurationError} as `loadHostKeys`, and when a file is not there
 */
export function reloadHostKeys(keys: readonly (string | HostKey)[]): Promise<readonly HostKey[]> {
  return load(keys, (path) => loadHostKey(path));
}

async function load(
  keys: readonly (string | HostKey)[],
  read: (path: string) => Promise<HostKey>,
): Promise<readonly HostKey[]> {
  try {
    return await Promise.all(keys.map((key) => (typeof key === "string" ? read(key) : key)));
  } catch (error) {
    if (error instanceof KeyError || error instanceof UserFileError) {
      throw new ConfigurationError("hostKey", error.message, { cause: error });
    }
    throw error;
  }
}
