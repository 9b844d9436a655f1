import type { CountedSize, Look, QuotaAccount, QuotaTerms, QuotaUsage } from "../../base/quota-ledger.js";
import { ByteBudget } from "../byte-budget.js";
import { FileError } from "../errors.js";
import { ShareWatch, usageOf } from "./share-watch.js";
import { SharedLock } from "./shared-lock.js";

/** The account of a tree that only this process counts. Claims are answered at once. */
export class OwnAccount implements QuotaAccount {
  readonly #budget: ByteBudget;
  readonly #isKnown: boolean;
  readonly #nameChanges = new SharedLock();

  constructor({ limit, used, warnAt, onWarning }: Omit<QuotaTerms, "visit">) {
    const watch = warnAt === undefined ? undefined : new ShareWatch(warnAt, onWarning);
    this.#budget = new ByteBudget("bytes", limit, "EDQUOT", watch && ((budget) => watch.look(usageOf(budget))));
    this.#isKnown = used !== undefined;
    if (used !== undefined) this.#budget.charge(used);
  }

  async measured(list: () => Promise<number>): Promise<void> {
    if (!this.#isKnown) this.#budget.charge(await list());
  }

  usage(): QuotaUsage {
    return usageOf(this.#budget);
  }

  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#nameChanges.alone(operation);
  }

  opening<T>(creates: boolean, operation: () => Promise<T>): Promise<T> {
    return creates ? this.#nameChanges.together(operation) : operation();
  }

  moved(): void {}

  async hold(_identity: string | undefined, _path: string, look: Look): Promise<CountedSize> {
    return new OwnSize(this.#budget, (await look()).size);
  }
}

/** The size of a file that only this process counts. */
export class OwnSize implements CountedSize {
  appending = 0;
  readonly #budget: ByteBudget;
  #size: number;
  #hasNoName = false;

  /** @param size what the file has now, which is counted already */
  constructor(budget: ByteBudget, size: number) {
    this.#budget = budget;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  claim(size: number): boolean {
    const growth = Math.max(0, size - this.#size);
    try {
      this.#budget.reserve(growth);
    } catch (error) {
      if (error instanceof FileError) return false;
      throw error;
    }
    this.#size += growth;
    return true;
  }

  async look(look: Look, isQuiet: () => boolean): Promise<boolean> {
    const { size } = await look();
    if (!isQuiet()) return false;
    if (size > this.#size) this.#budget.charge(size - this.#size);
    else this.#budget.release(this.#size - size);
    this.#size = size;
    return true;
  }

  settle(): void {}

  unnamed(): void {
    this.#hasNoName = true;
  }

  leave(): void {
    if (this.#hasNoName) this.#budget.release(this.#size);
  }
}
