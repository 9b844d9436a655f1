import { createHash } from "node:crypto";
import type { CountedSize, Look, QuotaAccount, QuotaLedger, QuotaTerms, QuotaUsage } from "../../base/quota-ledger.js";
import type { ProcessLine } from "../calls/process-line.js";
import { QuotaCalls, TreeTurns } from "./quota-calls.js";
import {
  ASK_USAGE,
  CLOSE_ACCOUNT,
  HOLD_FILE,
  LISTED,
  LOCK_NAMES,
  MAX_PATH_LENGTH,
  MOVED,
  NO_NEEDS,
  OPEN_ACCOUNT,
  RECLAIM,
  UNLOCK_NAMES,
  VISIT,
  WARNING,
} from "./quota-operations.js";
import { WorkerSize } from "./worker-size.js";

/** Seconds that a worker may wait while another one lists a tree. */
const LISTING_TIME = 600;

/** Seconds that a change of names may wait for others. */
const LOCK_TIME = 60;

interface KnownTree {
  readonly turns: TreeTurns;
  readonly accounts: Set<WeakRef<WorkerAccount>>;
}

/** The quotas of a worker, which are those of the primary. */
export class WorkerAccounts implements QuotaLedger {
  readonly #line: ProcessLine;
  /** What has to leave room for the calls of others. */
  readonly calls: QuotaCalls;
  readonly #accounts = new Map<string, KnownTree>();
  readonly #files = new Map<number, WorkerSize>();
  readonly #gone = new FinalizationRegistry<Tally>((tally) => this.#close(tally));
  #lastNumber = 0;

  constructor(line: ProcessLine) {
    this.#line = line;
    this.calls = new QuotaCalls(line);
    line.answer(RECLAIM, ({ hold, isShared }) => this.#files.get(hold)?.giveBack(isShared) ?? NO_NEEDS);
    line.hear(VISIT, ({ account, paths }) => this.#termsOf(account, () => true)?.visit(paths));
    line.hear(WARNING, ({ account, ...usage }) =>
      this.#termsOf(account, ({ limit, warnAt }) => limit === usage.limit && warnAt !== undefined)?.onWarning(usage),
    );
  }

  open(tree: string, terms: QuotaTerms): QuotaAccount {
    const name = shortName(tree);
    const known = this.#accounts.get(name) ?? { turns: new TreeTurns(), accounts: new Set() };
    this.#accounts.set(name, known);
    const tally = { name, opened: 0 };
    const account = new WorkerAccount(this, this.#line, tally, terms, known.turns);
    known.accounts.add(new WeakRef(account));
    this.#gone.register(account, tally);
    return account;
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  addFile(file: WorkerSize): void {
    this.#files.set(file.hold, file);
  }

  deleteFile(file: WorkerSize): void {
    this.#files.delete(file.hold);
  }

  #termsOf(name: string, areMeant: (terms: QuotaTerms) => boolean): QuotaTerms | undefined {
    for (const reference of this.#accounts.get(name)?.accounts ?? []) {
      const account = reference.deref();
      if (account !== undefined && areMeant(account.terms)) return account.terms;
    }
    return undefined;
  }

  /** Nobody refers to an account any more. */
  #close({ name, opened }: Tally): void {
    const known = this.#accounts.get(name);
    for (const reference of known?.accounts ?? [])
      if (reference.deref() === undefined) known?.accounts.delete(reference);
    if (known?.accounts.size === 0) this.#accounts.delete(name);
    for (let time = 0; time < opened; time++) this.#line.notify(CLOSE_ACCOUNT, name);
  }
}

/** How often the primary was told that an account is used. */
interface Tally {
  readonly name: string;
  opened: number;
}

class WorkerAccount implements QuotaAccount {
  readonly #tally: Tally;
  readonly terms: QuotaTerms;
  readonly #accounts: WorkerAccounts;
  readonly #line: ProcessLine;
  readonly #turns: TreeTurns;

  constructor(accounts: WorkerAccounts, line: ProcessLine, tally: Tally, terms: QuotaTerms, turns: TreeTurns) {
    this.#tally = tally;
    this.terms = terms;
    this.#accounts = accounts;
    this.#line = line;
    this.#turns = turns;
  }

  measured(list: () => Promise<number>): Promise<void> {
    return this.#turns.listings.run(() => this.#measured(list));
  }

  async #measured(list: () => Promise<number>): Promise<void> {
    const { limit, used, warnAt } = this.terms;
    const account = this.#tally.name;
    const late = () => {
      this.#line.notify(LISTED, { account, size: undefined });
      this.#line.notify(CLOSE_ACCOUNT, account);
    };
    const options = { seconds: LISTING_TIME, late };
    const task = await this.#accounts.calls.call(OPEN_ACCOUNT, { account, limit, used, warnAt }, options);
    this.#tally.opened++;
    if (task === "ready") return;
    let size: number | undefined;
    try {
      size = numberOfBytes(await list());
    } finally {
      this.#line.notify(LISTED, { account, size });
    }
  }

  usage(): Promise<QuotaUsage> {
    return this.#turns.questions.run(() =>
      this.#accounts.calls.call(ASK_USAGE, { account: this.#tally.name, limit: this.terms.limit }),
    );
  }

  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#turns.names.run(() => this.#locked(true, operation));
  }

  /** Another worker might remove the file before it is held, and what it takes would not count. */
  opening<T>(_creates: boolean, operation: () => Promise<T>): Promise<T> {
    return this.#turns.names.run(() => this.#locked(false, operation));
  }

  moved(oldPath: string, newPath: string): void {
    if (Math.max(oldPath.length, newPath.length) > MAX_PATH_LENGTH) return;
    this.#line.notify(MOVED, { account: this.#tally.name, oldPath, newPath });
  }

  async hold(identity: string | undefined, path: string, look: Look): Promise<CountedSize> {
    const file = new WorkerSize(this.#accounts, this.#line, this.#turns, this.#accounts.nextNumber());
    const request = {
      account: this.#tally.name,
      hold: file.hold,
      identity: identity === undefined ? undefined : shortName(identity),
      path: path.length > MAX_PATH_LENGTH ? undefined : path,
      limit: this.terms.limit,
    };
    this.#accounts.addFile(file);
    try {
      const held = await this.#accounts.calls.call(HOLD_FILE, request, { late: () => void file.leave() });
      if (held.reach === undefined) await file.lookFirst(look);
      else file.begin(held.reach, held.isShared);
      return file;
    } catch (error) {
      void file.leave();
      throw error;
    }
  }

  async #locked<T>(isAlone: boolean, operation: () => Promise<T>): Promise<T> {
    const lock = this.#accounts.nextNumber();
    const unlock = () => void this.#line.notify(UNLOCK_NAMES, lock);
    await this.#accounts.calls.call(
      LOCK_NAMES,
      { account: this.#tally.name, lock, isAlone },
      { seconds: LOCK_TIME, late: unlock },
    );
    try {
      return await operation();
    } finally {
      unlock();
    }
  }
}

function numberOfBytes(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new Error("the file system gives a size that is no number of bytes");
}

/** Of one length, whatever it stands for. */
function shortName(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
