import type { FileSystem } from "../file-system.js";
import { attributesAt, isExpired, removeStaged } from "./staged-upload.js";
import type { UploadRegister } from "./upload-register.js";

/**
 * Removes a staged file that was found and that nobody is to come back for.
 *
 * @returns whether it was still so
 */
export function removeLeft(
  fileSystem: FileSystem,
  register: UploadRegister,
  stagedPath: string,
  keepSeconds: number,
): Promise<boolean> {
  return register.alone(stagedPath, async () => {
    if (register.get(stagedPath) !== undefined) return false;
    const attributes = await attributesAt(fileSystem, stagedPath);
    if (attributes?.type !== "file" || !isExpired(attributes, keepSeconds)) return false;
    await removeStaged(fileSystem, stagedPath);
    return true;
  });
}
