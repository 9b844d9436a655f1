import { ConfigurationError } from "../../base/configuration-error.js";
import { loggedPath } from "../../base/logged-text.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkObject } from "../../base/option-checks.js";
import type { FileSystem } from "../../files/file-system.js";
import { LocalFileSystem, rootFolderOf } from "../../files/local/local-file-system.js";
import { normalizePath } from "../../files/path.js";
import { stagesUploads } from "../../files/wrappers/atomic-uploads.js";
import { checkFileSystem } from "../../files/wrappers/methods.js";
import { mount } from "../../files/wrappers/mount.js";
import { readOnly } from "../../files/wrappers/read-only.js";
import { folderProblem, missingFolderProblem } from "../folder-problem.js";
import { NoHomeError } from "./no-home-error.js";

/** What is shared, by its paths in the homes: folders of this machine, which nobody can change there, and file systems. */
export type SharedFolders = Readonly<Record<string, string | FileSystem>>;

/** Paths of folders that are known from a function. Each has one file system for all homes. */
const MAX_FOLDERS = 10_000;

/** Puts shared folders into homes. */
export class SharedTrees {
  readonly #shared: SharedFolders | ((user: string) => MaybePromise<SharedFolders>);
  readonly #folders = new Map<string, FileSystem>();

  /**
   * @param home any file system, to try whether the folders can be mounted into one
   * @throws {ConfigurationError} when a folder cannot be shared, or not there
   */
  constructor(shared: SharedFolders | ((user: string) => MaybePromise<SharedFolders>), home: FileSystem) {
    this.#shared = shared;
    if (typeof shared !== "function") this.#mount(home, shared);
  }

  /** Why one of the folders cannot be shared, as far as they are known before a user comes; for the log. */
  async problem(): Promise<string | undefined> {
    return typeof this.#shared === "function" ? undefined : problemOf(this.#shared);
  }

  /**
   * @throws {ConfigurationError} when what a function gives cannot be shared
   * @throws {NoHomeError} when a folder is not there: an empty one in its place would look as if it was
   */
  async mountInto(home: FileSystem, user: string): Promise<FileSystem> {
    const shared = typeof this.#shared === "function" ? await this.#shared(user) : this.#shared;
    const mounted = this.#mount(home, shared);
    const problem = await problemOf(shared);
    if (problem !== undefined) throw new NoHomeError(problem);
    return mounted;
  }

  #mount(home: FileSystem, shared: SharedFolders): FileSystem {
    const trees = Object.entries(checkObject("shared", shared)).map(([path, tree]) => {
      if (normalizePath(path) === "/") throw new ConfigurationError("shared", "cannot be in place of the home itself");
      return [path, typeof tree === "string" ? this.#folder(tree) : sharedTree(tree)] as const;
    });
    if (trees.length === 0) return home;
    try {
      return mount({ "/": home, ...Object.fromEntries(trees) });
    } catch (error) {
      if (error instanceof ConfigurationError) throw new ConfigurationError("shared", error.message, { cause: error });
      throw error;
    }
  }

  #folder(path: string): FileSystem {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    if (this.#folders.size >= MAX_FOLDERS) this.#folders.clear();
    const folder = readOnly(new LocalFileSystem(path));
    this.#folders.set(path, folder);
    return folder;
  }
}

/** Nobody could put anything into a folder that is only read: it is not made. */
async function problemOf(shared: SharedFolders): Promise<string | undefined> {
  for (const [path, tree] of Object.entries(shared)) {
    const folder = typeof tree === "string" ? tree : rootFolderOf(tree);
    if (folder === undefined) continue;
    const problem = await (typeof tree === "string" ? missingFolderProblem(folder) : folderProblem(folder));
    if (problem !== undefined) return `shared ${loggedPath(path)}: ${problem}`;
  }
  return undefined;
}

function sharedTree(tree: FileSystem): FileSystem {
  checkFileSystem("shared", tree);
  if (!stagesUploads(tree)) return tree;
  throw new ConfigurationError("shared", "stages uploads: give what it wraps, and the option atomicUploads");
}
