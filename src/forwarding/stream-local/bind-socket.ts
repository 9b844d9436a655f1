import { lstat, mkdtemp, rename } from "node:fs/promises";
import type { Server } from "node:net";
import { systemErrorCode } from "../../base/system-error-code.js";
import { chmodFollowing, link, rmdir, unlink } from "../../files/local/system-calls.js";
import { type AcceptedConnections, acceptConnections } from "../accept-connections.js";
import { ListenRefusal } from "../listener-register.js";
import type { HeldFile } from "./held-file.js";

export interface BindOptions {
  /** Permission bits that the socket does not have. */
  readonly mask: number;
  /** Whether a socket that is there already is kept, which refuses, or replaced. */
  readonly existing: "kept" | "replaced";
}

type Listen = (address: { readonly path: string }, connections: AcceptedConnections) => Promise<Server>;

export interface BoundSocket {
  /** Accepts no more connections, and removes the socket if it is still the one that was made. Never rejects. */
  close(): Promise<void>;
}

/**
 * Listens on a socket of the file system. The umask belongs to the whole process, so that the socket is made in a folder
 * of mode 0700, and gets its place once it has its permissions: it is never more open than it should be.
 *
 * @param folder is released when the socket is closed, and when it cannot be made
 * @param listen makes the server that listens
 * @throws {ListenRefusal} when something is there that is not replaced
 * @throws the system's error
 */
export async function bindSocket(
  folder: HeldFile,
  name: string,
  options: BindOptions,
  connections: AcceptedConnections,
  listen: Listen = acceptConnections,
): Promise<BoundSocket> {
  try {
    const bound = await bindIn(folder, name, options, connections, listen);
    return {
      close: async () => {
        await bound.close();
        await folder.release();
      },
    };
  } catch (error) {
    await folder.release();
    throw error;
  }
}

async function bindIn(
  folder: HeldFile,
  name: string,
  { mask, existing }: BindOptions,
  { accepted, failed }: AcceptedConnections,
  listen: Listen,
): Promise<BoundSocket> {
  const path = `${folder.path}/${name}`;
  if (existing === "replaced") await requireReplaceable(path);
  const nursery = await mkdtemp(`${folder.path}/.spindlex-`);
  const newborn = `${nursery}/s`;
  try {
    let isOpen = true;
    const server = await listen(
      { path: newborn },
      { failed, accepted: (socket) => (isOpen ? accepted(socket) : socket.destroy()) },
    );
    try {
      await chmodFollowing(newborn, 0o777 & ~mask);
      const made = await lstat(newborn, { bigint: true });
      if (existing === "replaced") await rename(newborn, path);
      else await linkNew(newborn, path);
      return {
        close: async () => {
          isOpen = false;
          // While the server has it, no other file gets its number.
          await removeIf(path, made).catch(() => {});
          server.close();
        },
      };
    } catch (error) {
      server.close();
      throw error;
    }
  } finally {
    await unlink(newborn).catch(() => {});
    await rmdir(nursery).catch(() => {});
  }
}

/** Only a program of the same user, or one that may write the folder, can put something else there before it is replaced. */
async function requireReplaceable(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSocket()) return;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  throw new ListenRefusal("something other than a socket is at the path");
}

async function linkNew(newborn: string, path: string): Promise<void> {
  try {
    await link(newborn, path);
  } catch (error) {
    throw systemErrorCode(error) === "EEXIST" ? new ListenRefusal("something is at the path", { cause: error }) : error;
  }
}

/** Removes what is at a path, if it is still the file that was there. @throws the system's error */
export async function removeIf(
  path: string,
  { dev, ino }: { readonly dev: bigint; readonly ino: bigint },
): Promise<void> {
  const there = await lstat(path, { bigint: true });
  if (there.dev === dev && there.ino === ino) await unlink(path);
}
