import { FileError, isMissing, LinkInPathError } from "../files/errors.js";
import type { FileAttributes, FileSystem } from "../files/file-system.js";
import { PathResolver } from "../files/path-resolver.js";

/** The place that a path leads to. */
export interface Located {
  /** Canonical, without links. */
  readonly path: string;
  /** Absent where nothing has that path. */
  readonly attributes: FileAttributes | undefined;
}

/** Finds out what is at a path, through all links. It asks no policy: what comes of it is only used inside. */
export class Locator {
  readonly #fileSystem: FileSystem;
  readonly #resolver: PathResolver;

  constructor(fileSystem: FileSystem, startDirectory: string) {
    this.#fileSystem = fileSystem;
    this.#resolver = new PathResolver(fileSystem, startDirectory);
  }

  /** @throws {FileError} when a name before the last leads to no directory, or links lead in circles */
  locate(path: string): Promise<Located> {
    return this.#resolver.run(path, "follow", async (canonical) => {
      const attributes = await this.#lstat(canonical);
      if (attributes?.type === "symlink") throw new LinkInPathError();
      return { path: canonical, attributes };
    });
  }

  async #lstat(path: string): Promise<FileAttributes | undefined> {
    if (this.#fileSystem.lstat === undefined) throw new FileError("ENOTSUP");
    try {
      return await this.#fileSystem.lstat(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}
