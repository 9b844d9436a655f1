import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { requirePrivate } from "../../authenticators/files/file-permissions.js";
import { PKey } from "../../crypto/index.js";
import { describeError, errorCode, StartError } from "../errors.js";

/** Where the host key is kept when nothing else was asked for (XDG Base Directory Specification). */
export function defaultHostKeyPath(environment: NodeJS.ProcessEnv): string {
  const stateHome = environment.XDG_STATE_HOME;
  const folder = stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(homedir(), ".local", "state");
  return join(folder, "spindlex", "host_key");
}

export interface HostKeyFile {
  readonly key: PKey;
  /** Whether it was made just now. */
  readonly created: boolean;
}

/**
 * The host key in a file; a new ed25519 key is put there if there is no file, encrypted if there is a passphrase. Of
 * servers that start at the same time all end up with the same key.
 *
 * @param passphrase of the file; an empty one counts as none
 * @throws {StartError | UserFileError | KeyError} when the file cannot be used or created
 */
export async function loadOrCreateHostKey(path: string, passphrase = ""): Promise<HostKeyFile> {
  const options = passphrase === "" ? {} : { passphrase };
  const created = !(await isThere(path)) && (await createHostKey(path, options));
  requirePrivate(path, await stat(path));
  const key = await PKey.fromFile(path, options);
  if (!key.hasPrivateKey) throw new StartError(`${path} is only a public key: the host key must be the private one`);
  return { key, created };
}

/** False only when nothing is there: what cannot be looked at must not be taken for missing. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw new StartError(`host key ${path} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

/** Whether the key that is there now is this one: another server may have been quicker. */
async function createHostKey(path: string, options: { readonly passphrase?: string }): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await PKey.generate({ keyType: "ed25519" }).writeFile(path, options);
    return true;
  } catch (error) {
    if (errorCode(error) === "exists") return false;
    throw new StartError(`host key ${path} cannot be created: ${describeError(error)}`, { cause: error });
  }
}
