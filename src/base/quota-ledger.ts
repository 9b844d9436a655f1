import type { MaybePromise } from "./maybe-promise.js";

// What a quota counts with: in the memory of one process, or of several that share it.

/** How much of a quota is taken, bytes. */
export interface QuotaUsage {
  /** What is stored. */
  readonly used: number;
  /** What may be stored. */
  readonly limit: number;
  /** What can still be stored: 0 where more is used than the limit allows. */
  readonly left: number;
}

export interface QuotaTerms {
  /** Bytes. */
  readonly limit: number;
  /** Bytes that are used at the start; absent where the tree is to be listed. */
  readonly used: number | undefined;
  /** The share that `onWarning` is told of, once, and again when it is used after less was. */
  readonly warnAt: number | undefined;
  readonly onWarning: (usage: QuotaUsage) => void;
  /**
   * Opens files and closes them, which counts them: those that were open in a process that has died.
   *
   * @param paths those that the files had
   */
  readonly visit: (paths: readonly string[]) => void;
}

/** What is seen of a file now. */
export interface Seen {
  /** Bytes. */
  readonly size: number;
  /** Whether it has lost its last name since it was opened. */
  readonly isUnnamed: boolean;
}

/** Rejects where the file cannot be looked at. */
export type Look = () => Promise<Seen>;

/** The size of a file that is open, as it counts. */
export interface CountedSize {
  /** Bytes that the file has at most when all is done that was claimed. */
  readonly size: number;
  /** Bytes of it that are being written to the end, wherever that will be. Set by the code that writes. */
  appending: number;
  /**
   * Makes room, before a change.
   *
   * @param size what the file may have then
   * @param appended bytes of it that go to the end, wherever that will be
   * @returns whether there is room; nothing is changed where there is not
   */
  claim(size: number, appended: number): MaybePromise<boolean>;
  /**
   * Counts what the file has indeed.
   *
   * @param isQuiet whether no change has begun that the look may have missed
   * @returns whether it is counted so
   */
  look(look: Look, isQuiet: () => boolean): Promise<boolean>;
  /** Before the last handle is closed: looks if others have changed the file, too. */
  settle(look: Look): MaybePromise<void>;
  /** The file has no name any more. It counts until it is closed. */
  unnamed(): MaybePromise<void>;
  /** The last handle is closed. Resolves when what comes back by that has come back. */
  leave(): MaybePromise<void>;
}

/** The bytes that a tree may hold. */
export interface QuotaAccount {
  /** Resolves when it is known how much is used. @param list adds up what the tree holds, where nobody has done so */
  measured(list: () => Promise<number>): Promise<void>;
  usage(): MaybePromise<QuotaUsage>;
  /** Runs a change of names, while nothing else happens to names. */
  alone<T>(operation: () => Promise<T>): Promise<T>;
  /**
   * Runs what opens a file and holds it, so that no name changes in between where that would matter.
   *
   * @param creates whether the file is made if it is not there
   */
  opening<T>(creates: boolean, operation: () => Promise<T>): Promise<T>;
  /** Something was renamed, with all that is in it. */
  moved(oldPath: string, newPath: string): void;
  /**
   * Begins to count a file.
   *
   * @param identity the same for all handles of the file, in all processes; absent where nothing tells
   * @param path that it was opened with
   */
  hold(identity: string | undefined, path: string, look: Look): Promise<CountedSize>;
}

export interface QuotaLedger {
  /** @param tree its name, the same in all processes */
  open(tree: string, terms: QuotaTerms): QuotaAccount;
}
