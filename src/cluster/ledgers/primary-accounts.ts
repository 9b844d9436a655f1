import type { ProcessLine } from "../calls/process-line.js";
import type { Hold } from "./counted-entry.js";
import { PrimaryAccount } from "./primary-account.js";
import {
  ALL_COUNTED,
  ASK_USAGE,
  CLOSE_ACCOUNT,
  FILE_UNNAMED,
  GROW_FILE,
  HOLD_FILE,
  LEAVE_FILE,
  LISTED,
  LOCK_NAMES,
  LOOK_ALONE,
  LOOKED,
  MOVED,
  OPEN_ACCOUNT,
  UNLOCK_NAMES,
} from "./quota-operations.js";

const MAX_ACCOUNTS = 100_000;

/** Accounts that no worker uses are kept, so that trees are not listed at each login; in milliseconds. */
const IDLE_TIME = 10 * 60 * 1000;
const MAX_IDLE_ACCOUNTS = 10_000;

/** The quotas of all trees, as the primary keeps them. */
export class PrimaryAccounts {
  readonly #accounts = new Map<string, PrimaryAccount>();
  /** When they were used last, the longest ago first. */
  readonly #idle = new Map<PrimaryAccount, number>();

  serve(line: ProcessLine): void {
    const holds = new Map<number, Hold & { readonly account: PrimaryAccount }>();
    const locks = new Map<number, () => void>();
    const held = (number: number) => {
      const hold = holds.get(number);
      if (hold === undefined) throw new Error("there is no such file");
      return hold;
    };

    line.answer(OPEN_ACCOUNT, (opening, { signal }) => this.#find(opening.account).open(line, opening, signal));
    line.hear(LISTED, ({ account, size }) => this.#accounts.get(account)?.listed(line, size));
    line.hear(CLOSE_ACCOUNT, (name) => {
      const account = this.#accounts.get(name);
      if (account === undefined) return;
      account.close(line);
      this.#rest(account);
    });
    line.answer(ASK_USAGE, ({ account, limit }) => this.#find(account).usage(limit));
    line.answer(LOCK_NAMES, async ({ account: name, lock, isAlone }, { signal }) => {
      const account = this.#find(name);
      const release = await account.names.take(isAlone, signal);
      locks.set(lock, () => {
        release();
        this.#rest(account);
      });
      return undefined;
    });
    line.hear(MOVED, ({ account, oldPath, newPath }) => this.#accounts.get(account)?.moved(line, oldPath, newPath));
    line.hear(UNLOCK_NAMES, (lock) => {
      locks.get(lock)?.();
      locks.delete(lock);
    });

    line.answer(HOLD_FILE, async ({ account: name, hold: number, identity, path, limit }, { signal }) => {
      if (holds.has(number)) throw new Error("the file is held already");
      const account = this.#find(name);
      const hold = { line, number, limit, account, entry: undefined, isLeaving: false };
      holds.set(number, hold);
      try {
        return await account.hold(hold, identity ?? Symbol("file"), path, signal);
      } catch (error) {
        holds.delete(number);
        throw error;
      }
    });
    line.answer(LOOK_ALONE, ({ hold, isLeaving }, { signal }) =>
      held(hold).account.lookAlone(held(hold), isLeaving, signal),
    );
    line.hear(LOOKED, ({ hold, seen }) => holds.get(hold)?.account.looked(held(hold), seen));
    line.answer(GROW_FILE, ({ hold, size, appended }) => held(hold).account.grow(held(hold), size, appended));
    line.answer(FILE_UNNAMED, (number) => {
      held(number).account.unnamed(held(number));
      return undefined;
    });
    line.hear(LEAVE_FILE, ({ hold: number, size, isUnsure }) => {
      const hold = holds.get(number);
      if (hold === undefined || !holds.delete(number)) return;
      hold.account.leave(hold, size, isUnsure);
      this.#rest(hold.account);
    });

    line.answer(ALL_COUNTED, () => undefined);

    line.signal.addEventListener("abort", () => {
      for (const release of locks.values()) release();
      for (const hold of holds.values()) hold.account.leave(hold, undefined, true);
      for (const account of [...this.#accounts.values()]) {
        account.lineOver(line);
        this.#rest(account);
      }
    });
  }

  #find(name: string): PrimaryAccount {
    this.#forgetOld();
    let account = this.#accounts.get(name);
    if (account === undefined) {
      if (this.#accounts.size >= MAX_ACCOUNTS) throw new Error("there are too many quotas");
      account = new PrimaryAccount(name);
      this.#accounts.set(name, account);
    }
    this.#idle.delete(account);
    this.#idle.set(account, performance.now());
    return account;
  }

  #rest(account: PrimaryAccount): void {
    if (!account.isIdle || this.#accounts.get(account.name) !== account) return;
    this.#idle.delete(account);
    this.#idle.set(account, performance.now());
  }

  #forgetOld(): void {
    for (const [account, since] of this.#idle) {
      if (this.#idle.size <= MAX_IDLE_ACCOUNTS && performance.now() - since < IDLE_TIME) return;
      this.#idle.delete(account);
      if (account.isIdle) this.#accounts.delete(account.name);
    }
  }
}
