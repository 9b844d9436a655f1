import type { QuotaUsage, Seen } from "../../base/quota-ledger.js";
import {
  type Check,
  fields,
  finite,
  flag,
  integer,
  list,
  nothing,
  oneOf,
  optional,
  text,
} from "../calls/message-checks.js";
import type { Notice, Operation } from "../calls/operation.js";

// How workers share a quota. An account has a name; holds of files and of names have numbers, which the worker chooses.

const account = text(100);
const number = integer(1);
const bytes = integer(0);
/** No path of a client is longer. */
export const MAX_PATH_LENGTH = 4096;
const path = text(MAX_PATH_LENGTH);

/** Paths in one message. */
export const MAX_PATHS = 1000;

const usage: Check<QuotaUsage> = fields({ used: bytes, limit: bytes, left: bytes });

export interface AccountOpening {
  readonly account: string;
  readonly limit: number;
  readonly used: number | undefined;
  readonly warnAt: number | undefined;
}

/** @returns `list` where the worker is to list the tree, for all */
export const OPEN_ACCOUNT: Operation<AccountOpening, "ready" | "list"> = {
  name: "ledgers.quotas.open",
  request: fields({ account, limit: bytes, used: optional(bytes), warnAt: optional(finite) }),
  answer: oneOf("ready", "list"),
};

/** The tree is listed. The size is absent where it could not be. */
export const LISTED: Notice<{ readonly account: string; readonly size: number | undefined }> = {
  name: "ledgers.quotas.listed",
  value: fields({ account, size: optional(bytes) }),
};

export const CLOSE_ACCOUNT: Notice<string> = { name: "ledgers.quotas.close", value: account };

export const ASK_USAGE: Operation<{ readonly account: string; readonly limit: number }, QuotaUsage> = {
  name: "ledgers.quotas.usage",
  request: fields({ account, limit: bytes }),
  answer: usage,
};

export const LOCK_NAMES: Operation<
  { readonly account: string; readonly lock: number; readonly isAlone: boolean },
  undefined
> = {
  name: "ledgers.quotas.lockNames",
  request: fields({ account, lock: number, isAlone: flag }),
  answer: nothing,
};

export const UNLOCK_NAMES: Notice<number> = { name: "ledgers.quotas.unlockNames", value: number };

export interface FileHolding {
  readonly account: string;
  readonly hold: number;
  /** Absent where nothing tells which file it is. */
  readonly identity: string | undefined;
  readonly path: string | undefined;
  /** For what grows by this hold: others may have another limit for the same tree. */
  readonly limit: number;
}

export interface FileHeld {
  /**
   * Bytes up to which the file may be written without another question; what others append is not in them. Absent where the
   * worker is to look, and tell it; all others wait for that.
   */
  readonly reach: number | undefined;
  /** Whether another worker has the file open, too. */
  readonly isShared: boolean;
}

export const HOLD_FILE: Operation<FileHolding, FileHeld> = {
  name: "ledgers.quotas.holdFile",
  request: fields({ account, hold: number, identity: optional(text(100)), path: optional(path), limit: bytes }),
  answer: fields({ reach: optional(bytes), isShared: flag }),
};

/**
 * Asks for a look that nobody else disturbs: no other worker has the file, except workers that are closing it.
 *
 * @param isLeaving whether the worker is closing the file: it changes nothing any more
 * @returns whether the look may be taken: then `LOOKED` follows
 */
export const LOOK_ALONE: Operation<{ readonly hold: number; readonly isLeaving: boolean }, boolean> = {
  name: "ledgers.quotas.lookAlone",
  request: fields({ hold: number, isLeaving: flag }),
  answer: flag,
};

/** What was seen; absent where that is to count for nothing. */
export const LOOKED: Notice<{ readonly hold: number; readonly seen: Seen | undefined }> = {
  name: "ledgers.quotas.looked",
  value: fields({ hold: number, seen: optional(fields<Seen>({ size: bytes, isUnnamed: flag })) }),
};

export interface FileGiven {
  /** Bytes up to which the file may be written without another question. */
  readonly reach: number;
  /** Whether another worker has the file open, too: what is appended has been counted apart from that. */
  readonly isShared: boolean;
}

/** @returns absent where there is no room */
export const GROW_FILE: Operation<
  { readonly hold: number; readonly size: number; readonly appended: number },
  FileGiven | undefined
> = {
  name: "ledgers.quotas.growFile",
  request: fields({ hold: number, size: bytes, appended: bytes }),
  answer: optional(fields({ reach: bytes, isShared: flag })),
};

/** The file has no name any more. Answered, so that nobody gets the number of the file before it is known. */
export const FILE_UNNAMED: Operation<number, undefined> = {
  name: "ledgers.quotas.fileUnnamed",
  request: number,
  answer: nothing,
};

export interface FileLeaving {
  readonly hold: number;
  /** Bytes that the worker has used of what it may. */
  readonly size: number;
  /** The file may be shorter. */
  readonly isUnsure: boolean;
}

export const LEAVE_FILE: Notice<FileLeaving> = {
  name: "ledgers.quotas.leaveFile",
  value: fields({ hold: number, size: bytes, isUnsure: flag }),
};

/** Something was renamed. */
export const MOVED: Notice<{ readonly account: string; readonly oldPath: string; readonly newPath: string }> = {
  name: "ledgers.quotas.moved",
  value: fields({ account, oldPath: path, newPath: path }),
};

/** Answered when what the worker has told before is counted. */
export const ALL_COUNTED: Operation<undefined, undefined> = {
  name: "ledgers.quotas.allCounted",
  request: nothing,
  answer: nothing,
};

export interface FileNeeds {
  /** Bytes up to which the worker needs the file. */
  readonly size: number;
  /** Where another worker opens the file, too: bytes that it is writing to the end beyond that, behind what others write by then. */
  readonly appending: number;
}

/** Of a file that the worker has left. */
export const NO_NEEDS: FileNeeds = { size: 0, appending: 0 };

/**
 * To a worker that has a file alone: gives back what it does not need, as others need it, or as another worker opens the
 * file, too.
 */
export const RECLAIM: Operation<{ readonly hold: number; readonly isShared: boolean }, FileNeeds> = {
  name: "ledgers.quotas.reclaim",
  request: fields({ hold: number, isShared: flag }),
  answer: fields({ size: bytes, appending: bytes }),
};

/** To a worker: looks at files that were open in one that has died. */
export const VISIT: Notice<{ readonly account: string; readonly paths: readonly string[] }> = {
  name: "ledgers.quotas.visit",
  value: fields({ account, paths: list(path, MAX_PATHS) }),
};

/** To a worker: the share that is warned of is used. */
export const WARNING: Notice<QuotaUsage & { readonly account: string }> = {
  name: "ledgers.quotas.warning",
  value: fields({ account, used: bytes, limit: bytes, left: bytes }),
};
