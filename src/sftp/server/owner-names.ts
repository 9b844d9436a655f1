import type { MaybePromise } from "../../base/maybe-promise.js";
import type { FileAttributes, FileSystem } from "../../files/file-system.js";

/** Names of each kind that a session keeps. */
const MAX_NAMES = 1000;

type Lookup = (ids: readonly number[]) => Promise<readonly (string | undefined)[]>;

interface OwnersOfFile {
  readonly user: string;
  readonly group: string;
}

/** Names of the users and groups that files belong to. */
export class OwnerNames {
  readonly #users = new Map<number, string>();
  readonly #groups = new Map<number, string>();
  /** If the file system knows no names, nobody has one. */
  readonly users: Lookup;
  readonly groups: Lookup;

  constructor(fileSystem: FileSystem) {
    this.users = async (ids) => (await fileSystem.userNames?.(ids)) ?? [];
    this.groups = async (ids) => (await fileSystem.groupNames?.(ids)) ?? [];
  }

  /** The names of the owners of a file, or their numbers. */
  of({ uid = 0, gid = 0 }: FileAttributes): MaybePromise<OwnersOfFile> {
    const user = this.#users.get(uid);
    const group = this.#groups.get(gid);
    return user !== undefined && group !== undefined ? { user, group } : this.#find(uid, gid);
  }

  async #find(uid: number, gid: number): Promise<OwnersOfFile> {
    const user = this.#users.get(uid) ?? (await find(uid, this.users, this.#users));
    const group = this.#groups.get(gid) ?? (await find(gid, this.groups, this.#groups));
    return { user, group };
  }
}

async function find(id: number, lookup: Lookup, known: Map<number, string>): Promise<string> {
  const [name = String(id)] = await lookup([id]);
  if (known.size < MAX_NAMES) known.set(id, name);
  return name;
}
