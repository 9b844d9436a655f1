import { createHash } from "node:crypto";
import type { CountedSize, Look, QuotaAccount, QuotaLedger, QuotaTerms, QuotaUsage } from "../../base/quota-ledger.js";
import type { ProcessLine } from "../calls/process-line.js";
import {
  ASK_USAGE,
  CLOSE_ACCOUNT,
  HOLD_FILE,
  LISTED,
  LOCK_NAMES,
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

const MAX_PATH_LENGTH = 4096;

/** The quotas of a worker, which are those of the primary. */
export class WorkerAccounts implements QuotaLedger {
  readonly #line: ProcessLine;
  readonly #accounts = new Map<string, Set<WeakRef<WorkerAccount>>>();
  readonly #files = new Map<number, WorkerSize>();
  readonly #gone = new FinalizationRegistry<string>((name) => this.#line.notify(CLOSE_ACCOUNT, name));
  #lastNumber = 0;

  constructor(line: ProcessLine) {
    this.#line = line;
    line.answer(RECLAIM, ({ hold, isShared }) => this.#files.get(hold)?.giveBack(isShared) ?? 0);
    line.hear(VISIT, ({ account, paths }) => this.#termsOf(account)?.visit(paths));
    line.hear(WARNING, ({ account, ...usage }) => this.#termsOf(account)?.onWarning(usage));
  }

  open(tree: string, terms: QuotaTerms): QuotaAccount {
    const name = shortName(tree);
    const account = new WorkerAccount(this, this.#line, name, terms);
    const known = this.#accounts.get(name) ?? new Set();
    for (const reference of known) if (reference.deref() === undefined) known.delete(reference);
    this.#accounts.set(name, known.add(new WeakRef(account)));
    return account;
  }

  /** The primary knows that the account is used; it learns when it is no more. */
  opened(account: WorkerAccount): void {
    this.#gone.register(account, account.name);
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

  #termsOf(name: string): QuotaTerms | undefined {
    for (const reference of this.#accounts.get(name) ?? []) {
      const account = reference.deref();
      if (account !== undefined) return account.terms;
    }
    this.#accounts.delete(name);
    return undefined;
  }
}

class WorkerAccount implements QuotaAccount {
  readonly name: string;
  readonly terms: QuotaTerms;
  readonly #accounts: WorkerAccounts;
  readonly #line: ProcessLine;

  constructor(accounts: WorkerAccounts, line: ProcessLine, name: string, terms: QuotaTerms) {
    this.name = name;
    this.terms = terms;
    this.#accounts = accounts;
    this.#line = line;
  }

  async measured(list: () => Promise<number>): Promise<void> {
    const { limit, used, warnAt } = this.terms;
    const account = this.name;
    const late = () => {
      this.#line.notify(LISTED, { account, size: undefined });
      this.#line.notify(CLOSE_ACCOUNT, account);
    };
    const options = { seconds: LISTING_TIME, late };
    const task = await this.#line.call(OPEN_ACCOUNT, { account, limit, used, warnAt }, options);
    this.#accounts.opened(this);
    if (task === "ready") return;
    let size: number | undefined;
    try {
      size = numberOfBytes(await list());
    } finally {
      this.#line.notify(LISTED, { account, size });
    }
  }

  usage(): Promise<QuotaUsage> {
    return this.#line.call(ASK_USAGE, this.name);
  }

  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#locked(true, operation);
  }

  /** Another worker might remove the file before it is held, and what it takes would not count. */
  opening<T>(_creates: boolean, operation: () => Promise<T>): Promise<T> {
    return this.#locked(false, operation);
  }

  async hold(identity: string | undefined, path: string, look: Look): Promise<CountedSize> {
    const file = new WorkerSize(this.#accounts, this.#line, this.#accounts.nextNumber());
    const request = {
      account: this.name,
      hold: file.hold,
      identity: identity === undefined ? undefined : shortName(identity),
      path: path.length > MAX_PATH_LENGTH ? undefined : path,
    };
    this.#accounts.addFile(file);
    try {
      const held = await this.#line.call(HOLD_FILE, request, { late: () => void file.leave() });
      if (held.size === undefined) await file.lookFirst(look);
      else file.begin(held.size, held.isShared);
      return file;
    } catch (error) {
      void file.leave();
      throw error;
    }
  }

  async #locked<T>(isAlone: boolean, operation: () => Promise<T>): Promise<T> {
    const lock = this.#accounts.nextNumber();
    const unlock = () => void this.#line.notify(UNLOCK_NAMES, lock);
    await this.#line.call(LOCK_NAMES, { account: this.name, lock, isAlone }, { seconds: LOCK_TIME, late: unlock });
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
