import { type FilesClient, homes, loggedText, type MaybePromise } from "../../index.js";
import {
  atomicUploads,
  type FileSystem,
  LocalFileSystem,
  type QuotaUsage,
  quota,
  readOnly,
  sweepUploads,
} from "../../sftp/index.js";
import type { Log } from "./log.js";
import type { LoadedRules } from "./rules-file.js";
import type { FolderOptions } from "./serve-options.js";

/** The share of the quota that the log tells of. */
const WARN_AT = 0.9;

/** What is served of a folder. */
export interface FolderFiles {
  /** The files of a user; throws a NoHomeError where there are none. */
  of(client: Pick<FilesClient, "user" | "connection">): MaybePromise<FileSystem>;
  /** Removes what is left of uploads; gives the number of files. */
  sweep?(): Promise<number>;
  /** Decides which users may do what; without it, all is allowed. */
  readonly access?: LoadedRules;
}

/** @param path of a folder that is there */
export function folderFiles(path: string, options: FolderOptions, logger: Log): FolderFiles {
  return options.homes ? eachInTheirHome(path, options, logger) : allInOne(path, options, logger);
}

function allInOne(
  path: string,
  { quota: bytes, readOnly: isReadOnly, atomicUploads: isAtomic }: FolderOptions,
  logger: Log,
): FolderFiles {
  // One for all sessions: they share the quota.
  let fileSystem: FileSystem = new LocalFileSystem(path);
  if (bytes !== undefined) fileSystem = quota(fileSystem, { bytes, ...warning(logger) });
  if (isReadOnly) fileSystem = readOnly(fileSystem);
  return isAtomic
    ? { of: ({ user }) => atomicUploads(fileSystem, { user }), sweep: () => sweepUploads(fileSystem) }
    : { of: () => fileSystem };
}

function eachInTheirHome(
  root: string,
  { quota: bytes, readOnly: isReadOnly, atomicUploads: isAtomic = false, shared: folders = [] }: FolderOptions,
  logger: Log,
): FolderFiles {
  const writable = new Map(
    folders.filter(({ isWritable }) => isWritable).map(({ path, folder }) => [path, new LocalFileSystem(folder)]),
  );
  const shared = Object.fromEntries(folders.map(({ path, folder }) => [path, writable.get(path) ?? folder]));
  const limit = (user: string) =>
    bytes === undefined ? false : { bytes, ...warning(logger.child({ username: loggedText(user) })) };
  const serve = homes({ root, create: !isReadOnly, quota: limit, atomicUploads: isAtomic, shared });
  return {
    of: async (client) => {
      const { fileSystem } = await serve(client);
      return isReadOnly ? readOnly(fileSystem) : fileSystem;
    },
    ...(isAtomic && {
      sweep: async () => {
        let files = await serve.sweepUploads();
        for (const folder of writable.values()) files += await sweepUploads(folder);
        return files;
      },
    }),
  };
}

function warning(logger: Log) {
  const onWarning = (usage: QuotaUsage) => logger.warn({ ...usage }, "the quota is nearly used up");
  return { warnAt: WARN_AT, onWarning };
}
