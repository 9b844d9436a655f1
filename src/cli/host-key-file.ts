import { randomUUID } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { PKey } from "../crypto/index.js";
import { describeError, errorCode, StartError } from "./errors.js";
import { requirePrivate } from "./file-permissions.js";

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
 * The host key in a file; a new ed25519 key is put there if there is no file. Of two servers that start at the same
 * time both end up with the same key.
 *
 * @throws {StartError} when the file cannot be read or created, is open to other users, or the passphrase is wrong
 */
export async function loadOrCreateHostKey(path: string, passphrase: string | undefined): Promise<HostKeyFile> {
  const existing = await loadHostKey(path, passphrase);
  if (existing !== undefined) return { key: existing, created: false };
  const created = await createHostKey(path);
  const key = await loadHostKey(path, passphrase);
  if (key === undefined) throw new StartError(`host key ${path} disappeared`);
  return { key, created };
}

async function loadHostKey(path: string, passphrase: string | undefined): Promise<PKey | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  try {
    return PKey.fromString(text, passphrase === undefined ? {} : { passphrase });
  } catch (error) {
    throw new StartError(`host key ${path} cannot be used: ${describeError(error)}`, { cause: error });
  }
}

async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, "r");
    try {
      requirePrivate(path, await file.stat());
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    if (error instanceof StartError) throw error;
    throw new StartError(`host key ${path} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

/**
 * Writes a new key beside its place and links it there: the file is complete from the moment it exists, and a key
 * that somebody else has put there stays.
 */
async function createHostKey(path: string): Promise<boolean> {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await writePrivateFile(unfinished, PKey.generate({ keyType: "ed25519" }).toOpenSSH());
      await link(unfinished, path);
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      throw error;
    } finally {
      await rm(unfinished, { force: true });
    }
  } catch (error) {
    throw new StartError(`host key ${path} cannot be created: ${describeError(error)}`, { cause: error });
  }
}

async function writePrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
