import { LocalFileSystem } from "../../files/local/local-file-system.js";
import { type LeftUpload, type SweepSettings, sweepTree } from "../../files/wrappers/sweep-uploads.js";
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
  // One for all: each keeps directories open for a moment.
  const all = new LocalFileSystem(root);
  const errors: unknown[] = [];
  let removed = 0;
  for await (const { name, attributes } of all.readdir("/")) {
    if (attributes.type !== "directory" || !isHomeName(name)) continue;
    // Its user may come at any moment.
    const find = async (path: string): Promise<LeftUpload> => {
      const home = await homes.known(name);
      if (home === undefined) return { fileSystem: all, register: UploadRegister.of(all), path };
      return { fileSystem: home.own, register: UploadRegister.of(home.tree), path: path.slice(name.length + 1) };
    };
    try {
      removed += await sweepTree(all, `/${name}`, settings, find);
    } catch (error) {
      settings.signal?.throwIfAborted();
      errors.push(error);
    }
  }
  settings.signal?.throwIfAborted();
  if (errors.length > 0) throw errors[0];
  return removed;
}
