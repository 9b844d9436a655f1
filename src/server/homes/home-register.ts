import { setMaxListeners } from "node:events";
import type { FileSystem } from "../../files/file-system.js";
import type { LimitedFileSystem } from "../../files/wrappers/quota.js";

/** Homes without a session that are kept, so that a quota is not counted anew at each login. */
const MAX_IDLE_HOMES = 1000;

/** Milliseconds that they are kept: what other programs do to the files is not counted meanwhile. */
const IDLE_TIME = 10 * 60 * 1000;

/** The files of a user, the same for all sessions. */
export interface Home {
  /** With the shared folders. */
  readonly tree: FileSystem;
  /** Without them. */
  readonly own: FileSystem;
  /** Absent where there is no limit. */
  readonly limited: LimitedFileSystem | undefined;
}

/** The part of a connection that tells how long it uses a home. */
export interface HomeUser {
  readonly signal: AbortSignal;
}

interface Entry {
  readonly home: Promise<Home>;
  readonly users: Set<HomeUser>;
  idleSince: number;
}

/** The homes that are in use, and some that were lately. */
export class HomeRegister {
  readonly #open: (user: string, folder: string) => Promise<Home>;
  readonly #entries = new Map<string, Entry>();
  /** Those without a session, the longest first. */
  readonly #idle = new Map<string, Entry>();

  /** @param open makes the home of a user */
  constructor(open: (user: string, folder: string) => Promise<Home>) {
    this.#open = open;
  }

  /** Homes that are known now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The home of a user.
   *
   * @param folder that it is in
   * @param connection uses it as long as it lasts
   */
  async get(user: string, folder: string, connection?: HomeUser): Promise<Home> {
    const entry = this.#find(user) ?? this.#add(user, folder);
    if (connection !== undefined) this.#use(user, entry, connection);
    else if (entry.users.size === 0) this.#rest(user, entry);
    try {
      return await entry.home;
    } catch (error) {
      this.#drop(user, entry);
      throw error;
    }
  }

  /** The home of a user whose files are known now; `undefined` where they are not, or could not be opened. */
  async known(user: string): Promise<Home | undefined> {
    return this.#entries.get(user)?.home.catch(() => undefined);
  }

  #find(user: string): Entry | undefined {
    const entry = this.#entries.get(user);
    if (entry === undefined || entry.users.size > 0 || Date.now() - entry.idleSince < IDLE_TIME) return entry;
    this.#drop(user, entry);
    return undefined;
  }

  #add(user: string, folder: string): Entry {
    const entry: Entry = { home: this.#open(user, folder), users: new Set(), idleSince: Date.now() };
    this.#entries.set(user, entry);
    return entry;
  }

  #use(user: string, entry: Entry, connection: HomeUser): void {
    if (entry.users.has(connection)) return;
    if (connection.signal.aborted) {
      if (entry.users.size === 0) this.#rest(user, entry);
      return;
    }
    entry.users.add(connection);
    this.#idle.delete(user);
    const left = () => {
      entry.users.delete(connection);
      if (entry.users.size === 0 && this.#entries.get(user) === entry) this.#rest(user, entry);
    };
    // A connection may ask for its files often, and its signal has listeners of others.
    setMaxListeners(0, connection.signal);
    connection.signal.addEventListener("abort", left, { once: true });
  }

  #rest(user: string, entry: Entry): void {
    entry.idleSince = Date.now();
    this.#idle.delete(user);
    this.#idle.set(user, entry);
    if (this.#idle.size <= MAX_IDLE_HOMES) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#drop(...oldest);
  }

  #drop(user: string, entry: Entry): void {
    if (this.#entries.get(user) === entry) this.#entries.delete(user);
    if (this.#idle.get(user) === entry) this.#idle.delete(user);
  }
}
