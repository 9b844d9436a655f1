import { randomBytes } from "node:crypto";
import { lchown, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Owner, PrivateFolder } from "../private-folder.js";
import type { Credentials } from "./x11-request.js";

/** FamilyLocal of X.org's Xauth.h: a display of this machine. */
const FAMILY_LOCAL = 256;

/** What an X client has to show at a display of this machine. */
export interface AuthorityEntry extends Credentials {
  /** Of the machine, as its programs get it from the system. */
  readonly hostName: string;
  readonly displayNumber: number;
}

/**
 * An entry of the file that XAUTHORITY names (Xauth(3), "FILE FORMAT"), which X clients look up for `localhost:N` too: it is
 * the one that `xauth add unix:N` makes.
 */
export function encodeAuthorityEntry({ hostName, displayNumber, protocol, data }: AuthorityEntry): Buffer {
  const fields = [Buffer.from(hostName), Buffer.from(`${displayNumber}`), Buffer.from(protocol), data];
  return Buffer.concat([uint16(FAMILY_LOCAL), ...fields.flatMap((field) => [uint16(field.length), field])]);
}

/**
 * Writes a file of these entries, of mode 0600, in a folder of its own.
 *
 * @param owner whose they are to be, where not this process's
 * @param lifetime ends them
 * @returns its path. Rejects with the system's error, and with the reason of the signal when it fires
 */
export async function writeAuthorityFile(
  entries: Buffer,
  owner: Owner | undefined,
  lifetime: AbortSignal,
): Promise<string> {
  const folder = await PrivateFolder.make("spindlex-");
  // The owner of the folder may put another one in its place: nobody else has a file of this name that would be removed.
  const path = join(folder.path, `Xauthority.${randomBytes(8).toString("hex")}`);
  const remove = async () => {
    await unlink(path).catch(() => {});
    await folder.remove();
  };
  try {
    await writeFile(path, entries, { flag: "wx", mode: 0o600 });
    if (owner !== undefined) {
      await lchown(path, owner.uid, owner.gid);
      await folder.giveTo(owner);
    }
    lifetime.throwIfAborted();
  } catch (error) {
    await remove();
    throw error;
  }
  lifetime.addEventListener("abort", () => void remove(), { once: true });
  return path;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
