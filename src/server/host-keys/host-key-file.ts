import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { requirePrivate } from "../../authenticators/files/file-permissions.js";
import { ConfigurationError } from "../../base/configuration-error.js";
import { messageOf } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { KeyError } from "../../crypto/keys/key-error.js";
import { PKey } from "../../crypto/pkey/pkey.js";
import { checkReadOptions, type ReadOptions } from "../../crypto/pkey/read-options.js";

/** What `loadOrCreateHostKey` has found or made. */
export interface HostKeyFile {
  /** The key, with its private half. */
  readonly key: PKey;
  /** Whether it was made just now. */
  readonly created: boolean;
}

/**
 * The host key in a file. If there is no file, a new Ed25519 key is put there with mode 0600, encrypted if there is a
 * passphrase. Servers that start at the same time all get the same key.
 *
 * @throws {KeyError} when the file cannot be read or created, or holds no private key
 * @throws {ConfigurationError} when an option cannot be used
 * @throws {UserFileError} when other users can read the file
 */
export async function loadOrCreateHostKey(path: string, options: ReadOptions = {}): Promise<HostKeyFile> {
  checkReadOptions(options);
  if (await isThere(path)) return { key: await readHostKey(path, options), created: false };
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(path, error);
  }
  return createHostKey(path, options);
}

/**
 * The same, but the folder has to be there: a path that was mistyped would leave folders, and a server with another key than its
 * clients know.
 *
 * @throws {KeyError} as `loadOrCreateHostKey`
 * @throws {UserFileError} when other users can read the file
 */
export async function hostKeyInFolder(path: string): Promise<HostKeyFile> {
  if (await isThere(path)) return { key: await readHostKey(path, {}), created: false };
  const folder = dirname(resolve(path));
  if (!(await isThere(folder))) {
    throw new KeyError("unwritable", `host key ${path} cannot be created: the folder ${folder} is not there: make it`);
  }
  return createHostKey(path, {});
}

/**
 * The host key in a file that has to be there.
 *
 * @throws {KeyError} when the file cannot be read, or holds no private key
 * @throws {ConfigurationError} when an option cannot be used
 * @throws {UserFileError} when other users can read the file
 */
export async function loadHostKey(path: string, options: ReadOptions = {}): Promise<PKey> {
  checkReadOptions(options);
  if (!(await isThere(path))) throw new KeyError("unreadable", `host key ${path} is not there`);
  return readHostKey(path, options);
}

async function readHostKey(path: string, options: ReadOptions): Promise<PKey> {
  const stats = await stat(path);
  const key = await PKey.fromFile(path, options);
  if (!key.hasPrivateKey) {
    throw new KeyError("public-only", `${path} is only a public key: the host key must be the private one`);
  }
  requirePrivate(path, stats);
  return key;
}

/** False only when nothing is there: a file that cannot be looked at is not missing. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return false;
    throw new KeyError("unreadable", `host key ${path} cannot be read: ${code ?? messageOf(error)}`, { cause: error });
  }
}

/** The key that is there now may be another one: another server may have been quicker. */
async function createHostKey(path: string, options: ReadOptions): Promise<HostKeyFile> {
  const created = await writeNewKey(path, options);
  return { key: await readHostKey(path, options), created };
}

async function writeNewKey(path: string, options: ReadOptions): Promise<boolean> {
  try {
    await PKey.generate({ keyType: "ed25519" }).writeFile(path, options);
    return true;
  } catch (error) {
    if (error instanceof KeyError && error.code === "exists") return false;
    if (error instanceof ConfigurationError) throw error;
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): KeyError {
  const reason = error instanceof KeyError ? error.message : (systemErrorCode(error) ?? messageOf(error));
  return new KeyError("unwritable", `host key ${path} cannot be created: ${reason}`, { cause: error });
}
