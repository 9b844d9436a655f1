import { createHash, randomBytes } from "node:crypto";
import { encodeName, joinPath, lastName, parentPath } from "../path.js";

// A staged file lies beside the file that it is to be, and has a name of its own:
//
//   .spindlex-USER-NAME    the one that a later session of the user finds again, of a short name
//   .spindlex-USER~HASH    the same, of a long name
//   .spindlex-USER+RANDOM  one of those that are uploaded at the same time
//
// USER, HASH and RANDOM are hexadecimal digits.

const PREFIX = ".spindlex-";
const RESERVED = /(?:^|\/)\.spindlex-[0-9a-f]{32}[-~+]/;
const STAGED = /^\.spindlex-([0-9a-f]{32})([-~+])/;

/** Bytes of a name that is kept in that of its staged file: some file systems take names of 143 bytes at most. */
const MAX_KEPT_NAME = 100;

/** Whether a path is, or leads through, a name of staged files. */
export function isReserved(path: string): boolean {
  return path.includes(PREFIX) && RESERVED.test(path);
}

/** The names of the staged files of one user. */
export class StagedNames {
  /** Hexadecimal: nobody can choose a user name such that two users have the same. */
  readonly #user: string;

  /** @param user `undefined` for all users without a name */
  constructor(user: string | undefined) {
    this.#user = digits(user === undefined ? "nobody" : `user ${user}`);
  }

  /** The path of the staged file that is found again. */
  slotOf(path: string): string {
    const name = lastName(path);
    const end = encodeName(name).length <= MAX_KEPT_NAME ? `-${name}` : `~${digits(name)}`;
    return joinPath(parentPath(path), `${PREFIX}${this.#user}${end}`);
  }

  /** A path beside a file that no other upload has. */
  uniqueFor(path: string): string {
    return joinPath(parentPath(path), `${PREFIX}${this.#user}+${randomBytes(16).toString("hex")}`);
  }

  /** The name that a staged file of this user is to have; `undefined` where its own does not tell. */
  finalName(stagedName: string): string | undefined {
    const [prefix, user, kind] = STAGED.exec(stagedName) ?? [];
    return user === this.#user && kind === "-" ? stagedName.slice(prefix?.length) : undefined;
  }
}

/** 128 bits of a hash. */
function digits(text: string): string {
  return createHash("sha256").update(Buffer.from(text, "utf16le")).digest("hex").slice(0, 32);
}
