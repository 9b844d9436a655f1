import { AccessDeniedError } from "./access-denied-error.js";
import { type AccessGuard, isRefused } from "./access-guard.js";
import type { FileSystem, FileType } from "./file-system.js";
import { attributesAt } from "./open-as-allowed.js";

/** A rename whose old name may be changed. */
export interface AskedRename {
  readonly oldPath: string;
  readonly newPath: string;
  /** What is at the old name. */
  readonly type: FileType;
  /** The fate of a file that has the new name. */
  readonly existing: "refuse" | "replace";
}

/** How something may be renamed. */
export interface AllowedRename {
  readonly method: "rename" | "posixRename";
  /** What is at the new name, where that was asked about; `undefined` where nothing is. */
  readonly replaced?: { readonly type: FileType | undefined };
}

/**
 * Decides about the new name of a rename, and about what is in its place.
 *
 * @throws {AccessDeniedError}
 */
export async function allowRename(
  fileSystem: FileSystem,
  access: AccessGuard,
  { oldPath, newPath, type, existing }: AskedRename,
): Promise<AllowedRename> {
  const method = existing === "refuse" ? "rename" : "posixRename";
  await access.demandByPolicy(type, newPath, "w", "rename");
  // Under its new name it may be open to more: nobody gets to read there what they could not read before.
  if (await isRefused(() => access.demandByPolicy(type, oldPath, "r", "rename"))) {
    const why = "under the new name it could be read";
    if (!(await isRefused(() => access.demandByPolicy(type, newPath, "r", "rename")))) {
      throw new AccessDeniedError({ operation: "rename", path: oldPath, to: newPath, why });
    }
  }
  if (!access.asksOperations) return { method };
  await access.demand("rename", newPath);
  await access.demandNoMore("rename", oldPath, newPath, type === "directory");
  if (existing === "refuse") return { method };
  const there = (await attributesAt(fileSystem, newPath))?.type;
  const operation = (there ?? type) === "directory" ? "removeDirectory" : "overwrite";
  if (there !== undefined) await access.demand(operation, newPath);
  else if (!(await access.allows(operation, newPath))) return { method: "rename" };
  return { method, replaced: { type: there } };
}
