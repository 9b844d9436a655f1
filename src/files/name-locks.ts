import { inLimitedTime } from "../base/limited-time.js";
import type { BasePath } from "./base-path.js";
import { splitPath } from "./path.js";

/** Whether a change is about a name alone, or moves all that lies below it as well. */
export type Reach = "name" | "tree";

/** How somebody waits for a name. */
export interface NameWait {
  /** Most milliseconds. */
  readonly milliseconds: number;
  /** Makes the error that is thrown behind them, and where too many wait. */
  readonly overdue: () => Error;
  /** Ends the waiting, too. */
  readonly signal?: AbortSignal | undefined;
}

/** Changes of one name that run or wait; each new one waits for all of them. */
const MAX_CHANGES = 1000;

/**
 * Names of directories whose moves run or wait, two for each move, in all that stands on one base. A move waits for all changes
 * below it, and they wait for the move.
 */
const MAX_MOVED_NAMES = 128;

/** A change that runs, or waits for those before it. */
class Claim {
  /** Resolves when all before it are over. */
  readonly free: Promise<void>;
  readonly #earlier: Set<Claim>;
  readonly #later = new Set<Claim>();
  #release = (): void => {};

  constructor(earlier: Set<Claim>) {
    this.#earlier = earlier;
    for (const claim of earlier) claim.#later.add(this);
    this.free = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  get isFree(): boolean {
    return this.#earlier.size === 0;
  }

  /** It has been done, or nobody waits for it any more. */
  end(): void {
    for (const claim of this.#earlier) claim.#later.delete(this);
    for (const claim of this.#later) {
      claim.#earlier.delete(this);
      if (claim.isFree) claim.#release();
    }
  }
}

/** A name that is about to be changed, or one on the way there. */
class ClaimedName {
  readonly below = new Map<string, ClaimedName>();
  readonly here = new Set<Claim>();
  readonly hereAndBelow = new Set<Claim>();
  /** Those that move it with all that lies below. */
  readonly moves = new Set<Claim>();
}

/** The names of what stands on one base. */
class ClaimedTree {
  readonly root = new ClaimedName();
  movedNames = 0;
}

/**
 * Lets changes of names run one after the other, in the order in which they come, where they are about the same names: one that
 * moves a directory waits for all below it, and they for it. All names of a change are taken at once, so that no two changes wait
 * for each other.
 */
export class NameLocks {
  readonly #trees = new WeakMap<object, ClaimedTree>();

  /** The number of names that are known of a tree now. */
  namesIn(base: object): number {
    const found = [this.#treeOf(base).root];
    for (const name of found) found.push(...name.below.values());
    return found.length - 1;
  }

  /** @throws what `wait` says, when others need the names for too long, or too many do; the change has not run then */
  async run<T>(places: readonly BasePath[], reach: Reach, wait: NameWait, change: () => Promise<T>): Promise<T> {
    const claims = places.map(({ base, path }) => ({ tree: this.#treeOf(base), names: splitPath(folded(path)) }));
    const earlier = new Set<Claim>();
    for (const { tree, names } of claims) {
      const isFull = reach === "tree" && tree.movedNames >= MAX_MOVED_NAMES;
      if (isFull || !collect(tree, names, reach, earlier)) throw wait.overdue();
    }
    const claim = new Claim(earlier);
    for (const { tree, names } of claims) take(tree, names, reach, claim);
    try {
      if (!claim.isFree) await inLimitedTime({ ...wait, signals: [wait.signal] }, () => claim.free);
      return await change();
    } finally {
      for (const { tree, names } of claims) giveBack(tree, names, reach, claim);
      claim.end();
    }
  }

  #treeOf(base: object): ClaimedTree {
    let tree = this.#trees.get(base);
    if (tree === undefined) {
      tree = new ClaimedTree();
      this.#trees.set(base, tree);
    }
    return tree;
  }
}

/**
 * @param earlier gets what has to be over before
 * @returns whether there is room for one more
 */
function collect({ root }: ClaimedTree, names: readonly string[], reach: Reach, earlier: Set<Claim>): boolean {
  let name: ClaimedName | undefined = root;
  for (const next of names) {
    name = name.below.get(next);
    if (name === undefined) return true;
    for (const move of name.moves) earlier.add(move);
  }
  for (const claim of reach === "tree" ? name.hereAndBelow : name.here) earlier.add(claim);
  return name.here.size < MAX_CHANGES;
}

function take(tree: ClaimedTree, names: readonly string[], reach: Reach, claim: Claim): void {
  let name = tree.root;
  for (const text of names) {
    let next = name.below.get(text);
    if (next === undefined) {
      next = new ClaimedName();
      name.below.set(text, next);
    }
    next.hereAndBelow.add(claim);
    name = next;
  }
  name.here.add(claim);
  if (reach === "name") return;
  name.moves.add(claim);
  tree.movedNames++;
}

function giveBack(tree: ClaimedTree, names: readonly string[], reach: Reach, claim: Claim): void {
  let name = tree.root;
  for (const text of names) {
    const next = name.below.get(text);
    if (next === undefined) break; // the change had this name twice, or one above
    next.hereAndBelow.delete(claim);
    if (next.hereAndBelow.size === 0) name.below.delete(text);
    name = next;
  }
  name.here.delete(claim);
  name.moves.delete(claim);
  if (reach === "tree") tree.movedNames--;
}

/** Disks take several spellings for one name. Where they do not, it harms nobody to wait for the other one. */
function folded(path: string): string {
  return path.normalize("NFD").toUpperCase().toLowerCase();
}
