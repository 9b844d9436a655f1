import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { KeyError } from "../keys/key-error.js";
import { KEY_MAXIMUM_LENGTH } from "./parse-key.js";

/** Read and write for the owner, nothing for anybody else. */
const PRIVATE_MODE = 0o600;

/**
 * The content of a key file.
 *
 * @throws {KeyError} `unreadable`
 */
export async function readKeyFile(path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readOpened(file, path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KeyError) throw error;
    throw new KeyError("unreadable", `cannot read the key file ${quoted(path)}: ${readAdvice(error)}`, {
      cause: error,
    });
  }
}

async function readOpened(file: FileHandle, path: string): Promise<Buffer> {
  const status = await file.stat();
  if (!status.isFile()) throw new KeyError("unreadable", `cannot read the key file ${quoted(path)}: it is not a file`);
  if (status.size > KEY_MAXIMUM_LENGTH) {
    throw new KeyError("unreadable", `cannot read the key file ${quoted(path)}: it is too large to be a key`);
  }
  return await file.readFile();
}

/**
 * Writes a private key file of mode 0600 that appears under its name only when it is complete. A symbolic link under
 * that name is not followed.
 *
 * @throws {KeyError} `exists`, or `unwritable`
 */
export async function writeKeyFile(path: string, text: string, existing: "refuse" | "replace"): Promise<void> {
  const temporary = join(dirname(path), `.spindlex-${randomBytes(8).toString("hex")}`);
  try {
    await createPrivateFile(temporary, text);
    // A link, unlike a renaming, fails when the name is taken.
    await (existing === "replace" ? rename(temporary, path) : link(temporary, path));
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") {
      throw new KeyError("exists", `the key file ${quoted(path)} already exists and is not replaced`, { cause: error });
    }
    const advice = `${describe(error)}; check the directory and its permissions`;
    throw new KeyError("unwritable", `cannot write the key file ${quoted(path)}: ${advice}`, { cause: error });
  } finally {
    // A leftover that cannot be removed must not hide the error from before.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function createPrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, PRIVATE_MODE);
  try {
    // The umask can have taken bits away from the mode.
    await file.chmod(PRIVATE_MODE);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A path in one line of a message, whatever characters are in it. */
export function quoted(path: string): string {
  return JSON.stringify(path);
}

function readAdvice(error: unknown): string {
  switch (systemErrorCode(error)) {
    case "ENOENT":
      return "it does not exist; create a key with `ssh-keygen -t ed25519 -f FILE`";
    case "EACCES":
    case "EPERM":
      return "permission denied; run this as a user who may read the file";
    default:
      return describe(error);
  }
}

function describe(error: unknown): string {
  return systemErrorCode(error) ?? messageOf(error);
}
