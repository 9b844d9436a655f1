import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { LocalFileSystem } from "../../files/local/local-file-system.js";
import { type SweepSettings, sweepTree } from "../../files/wrappers/sweep-uploads.js";
import { UploadRegister } from "../../files/wrappers/upload-register.js";
import { isHomeName } from "./home-folder.js";
import type { HomeRegister } from "./home-register.js";

/**
 * Removes what is left of uploads in all homes. Homes that are known are told, so that their quotas are right at once.
 *
 * @returns the number of files that were removed
 * @throws the first error of a home, when all others have been swept
 */
export async function sweepHomes(root: string, homes: HomeRegister, settings: SweepSettings): Promise<number> {
  const errors: unknown[] = [];
  let removed = 0;
  for await (const entry of await opendir(root)) {
    settings.signal?.throwIfAborted();
    if (!entry.isDirectory() || !isHomeName(entry.name)) continue;
    const folder = new LocalFileSystem(join(root, entry.name));
    const unknown = { fileSystem: folder, register: UploadRegister.of(folder) };
    // Its user may come at any moment.
    const now = async () => {
      const home = await homes.known(entry.name);
      return home === undefined ? unknown : { fileSystem: home.own, register: UploadRegister.of(home.tree) };
    };
    try {
      removed += await sweepTree(folder, settings, now);
    } catch (error) {
      errors.push(error);
    }
  }
  settings.signal?.throwIfAborted();
  if (errors.length > 0) throw errors[0];
  return removed;
}
