import { resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkFlag, checkNotUndefined, checkOptions, checkText } from "../../base/option-checks.js";
import type { QuotaUsage } from "../../base/quota-ledger.js";
import { type FilesOptions, filesSettings } from "../../files/file-server-options.js";
import type { FileSystem } from "../../files/file-system.js";
import { LocalFileSystem } from "../../files/local/local-file-system.js";
import type { TransferListeners } from "../../files/transfer-events.js";
import { atomicUploads } from "../../files/wrappers/atomic-uploads.js";
import { type SweepOptions, sweepSettings } from "../../files/wrappers/sweep-uploads.js";
import type { Connection } from "../../session/connection.js";
import { missingFolderProblem } from "../folder-problem.js";
import type { FilesClient } from "../session-options.js";
import { homeFolder } from "./home-folder.js";
import { type HomeQuota, limitHome } from "./home-quota.js";
import { type Home, HomeRegister } from "./home-register.js";
import { type SharedFolders, SharedTrees } from "./shared-folders.js";
import { checkAtStart } from "./start-checks.js";
import { sweepHomes } from "./sweep-homes.js";

/** Options of `homes`. */
export interface HomesOptions<Data = unknown>
  extends TransferListeners<Connection<Data>>,
    Pick<FilesOptions<Connection<Data>>, "access" | "startDirectory"> {
  /** The folder that the homes are in. */
  readonly root: string;
  /** Whether a home is made, with mode 0700, when its user first asks for files. Default: `true`. */
  readonly create?: boolean;
  /** The limit of each home, or a function that gives that of a user; shared folders do not count. Default: none. */
  readonly quota?: HomeQuota | ((user: string) => MaybePromise<HomeQuota>);
  /** Folders that are in each home, by their paths there; or a function that gives those of a user. */
  readonly shared?: SharedFolders | ((user: string) => MaybePromise<SharedFolders>);
  /** Whether files appear when they are whole: `atomicUploads`. Default: `false`. */
  readonly atomicUploads?: boolean;
}

/** The homes of many users: a function for the declaration `sftp`. */
export interface Homes<Data = unknown> {
  /**
   * Finds the home of a user who is logged in, and makes it where it is to be made.
   *
   * @returns the files of the user; rejects with an Error for the log where there are none
   */
  (
    client: Pick<FilesClient<Data>, "user" | "connection">,
  ): Promise<FilesOptions<Connection<Data>> & { fileSystem: FileSystem }>;
  /**
   * How much of a user's quota is used, whether the user is connected or not.
   *
   * @returns `undefined` where there is no limit; rejects with an Error where the user has no home
   */
  usage(user: string): Promise<QuotaUsage | undefined>;
  /**
   * Removes what is left of uploads in all homes, also of users who are not there: when the program starts, say, or each
   * night. What is left in shared folders stays.
   *
   * @returns the number of files that were removed; rejects with the error of a home, when all others have been swept
   */
  sweepUploads(options?: SweepOptions): Promise<number>;
}

const OPTIONS = [
  "root",
  "create",
  "quota",
  "shared",
  "atomicUploads",
  "access",
  "startDirectory",
  "onUpload",
  "onDownload",
] as const;

/**
 * A folder for each user: `sftp: homes({ root: "/srv/homes", quota: 10 * 2 ** 30 })`.
 *
 * - The name of the user is the name of the folder. It has at most 64 letters and digits of ASCII, `_`, `.`, `@`, `+` or
 * `-`, with none of the last three in front and no dot at the end; any other has no home. A link does not count as a home, and a
 * folder that is spelled otherwise is that of another user.
 * - All sessions of a user share one quota, and functions are asked again when the user was not there for ten minutes.
 * - Shared folders are in all homes: `shared: { "/docs": "/srv/docs", "/team": new LocalFileSystem("/srv/team") }`. A
 *   path of this machine is read-only; a file system is what it is, one object for all.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function homes<Data = unknown>(given: HomesOptions<Data>): Homes<Data> {
  const options = checkNotUndefined(checkOptions(given as HomesOptions, OPTIONS), ["access", "quota"]);
  const { root: rootPath, create = true, quota: limit = false, shared = {}, ...others } = options;
  const { atomicUploads: isAtomic = false, ...files } = others;
  if (checkText("root", rootPath, "a path") === "" || rootPath.includes("\0")) {
    throw new ConfigurationError("root", "must name a folder");
  }
  const root = resolve(rootPath);
  checkFlag("create", create);
  checkFlag("atomicUploads", isAtomic);
  const sample = new LocalFileSystem(root);
  filesSettings({ ...files, fileSystem: sample } as FilesOptions);
  if (typeof limit !== "function") limitHome(sample, limit, "");
  const sharedTrees = new SharedTrees(shared, sample);

  const register = new HomeRegister(async (user, folder): Promise<Home> => {
    const own = new LocalFileSystem(folder);
    const limitedTree = limitHome(own, typeof limit === "function" ? await limit(user) : limit, user);
    const tree = await sharedTrees.mountInto(limitedTree ?? own, user);
    return { tree, own: limitedTree ?? own, limited: limitedTree };
  });
  async function open(user: string, connection?: Connection): Promise<Home> {
    // Also of a home that is known: its folder may have gone.
    return register.get(user, await homeFolder(root, user, create), connection);
  }

  const serve: Homes = Object.assign(
    async ({ user, connection }: Pick<FilesClient, "user" | "connection">) => {
      const { tree } = await open(user, connection);
      return { ...files, fileSystem: isAtomic ? atomicUploads(tree, { user }) : tree };
    },
    {
      usage: async (user: string) => (await open(user)).limited?.usage(),
      sweepUploads: async (sweep: SweepOptions = {}) => sweepHomes(root, register, sweepSettings(sweep)),
    },
  );
  checkAtStart(serve, async () => (await missingFolderProblem(root)) ?? (await sharedTrees.problem()));
  return serve as Homes<Data>;
}
