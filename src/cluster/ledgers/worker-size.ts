import type { CountedSize, Look, Seen } from "../../base/quota-ledger.js";
import type { Operation } from "../calls/operation.js";
import type { CallOptions, ProcessLine } from "../calls/process-line.js";
import type { QuotaCalls, TreeTurns } from "./quota-calls.js";
import {
  ALL_COUNTED,
  FILE_UNNAMED,
  type FileGiven,
  type FileNeeds,
  GROW_FILE,
  LEAVE_FILE,
  LOOK_ALONE,
  LOOKED,
} from "./quota-operations.js";

/** Where the files of a worker are known by their numbers. */
interface OpenFiles {
  readonly calls: QuotaCalls;
  deleteFile(file: WorkerSize): void;
}

/**
 * The size of a file that a worker has open. It may grow without a question up to what the primary has given. While
 * another worker has the file, too, the primary is asked for all that is appended.
 */
export class WorkerSize implements CountedSize {
  /** Its number. */
  readonly hold: number;
  appending = 0;
  readonly #files: OpenFiles;
  readonly #line: ProcessLine;
  readonly #turns: TreeTurns;
  /** Until the file is looked at, nothing is known that could be given back. */
  #claimed = Number.MAX_SAFE_INTEGER;
  #given = 0;
  /** Bytes to be appended that the primary is being asked for. */
  #asking = 0;
  /** How often something was given back. */
  #returns = 0;
  #isShared = false;
  #isUnsure = true;
  #isUnnamed = false;

  constructor(files: OpenFiles, line: ProcessLine, turns: TreeTurns, hold: number) {
    this.#files = files;
    this.#line = line;
    this.#turns = turns;
    this.hold = hold;
  }

  get size(): number {
    return this.#claimed;
  }

  begin(size: number, isShared: boolean): void {
    this.#claimed = size;
    this.#given = size;
    this.#isShared ||= isShared;
    this.#isUnsure = false;
  }

  /** For the first worker that has the file open. */
  async lookFirst(look: Look): Promise<void> {
    let seen: Seen | undefined;
    try {
      seen = valid(await look());
      if (seen === undefined) throw new Error("the file system gives a size that is no number of bytes");
      this.begin(seen.size, false);
      this.#isUnnamed = seen.isUnnamed;
    } finally {
      this.#line.notify(LOOKED, { hold: this.hold, seen });
    }
  }

  /**
   * @param isShared whether another worker opens the file
   * @returns what is needed; no more is used without a question from now on
   */
  giveBack(isShared: boolean): FileNeeds {
    this.#returns++;
    const becomesShared = isShared && !this.#isShared;
    this.#isShared ||= isShared;
    // What is being appended may land behind what others write by then.
    const size = this.#claimed - (becomesShared ? this.appending : 0);
    this.#given = Math.min(this.#given, size);
    return { size, appending: becomesShared ? this.appending - this.#asking : 0 };
  }

  claim(size: number, appended: number): boolean | Promise<boolean> {
    if (!isSize(size)) return false;
    this.#claimed = Math.max(this.#claimed, size);
    if (size <= this.#given && !(this.#isShared && appended > 0)) return true;
    return this.#ask(size, appended);
  }

  async look(look: Look, isQuiet: () => boolean): Promise<boolean> {
    // A new file that is emptied: no less can be counted.
    if (this.#given === 0 && !this.#isShared && !this.#isUnsure) {
      this.#claimed = 0;
      return true;
    }
    return this.#look(look, isQuiet, false);
  }

  async settle(look: Look): Promise<void> {
    if (!this.#isShared && !this.#isUnsure) return;
    try {
      await this.#look(look, () => true, true);
    } catch {
      // The next worker that opens the file looks.
    }
  }

  async unnamed(): Promise<void> {
    await this.#call(FILE_UNNAMED, this.hold);
    this.#isUnnamed = true;
  }

  leave(): void | Promise<void> {
    this.#files.deleteFile(this);
    const size = Math.min(this.#claimed, this.#given);
    const isUnsure = this.#isUnsure || this.#isShared;
    this.#line.notify(LEAVE_FILE, { hold: this.hold, size, isUnsure });
    // Where nothing comes back by that, nobody has to wait.
    if (isUnsure || this.#isUnnamed || size < this.#given) return this.#allCounted();
  }

  async #allCounted(): Promise<void> {
    try {
      await this.#call(ALL_COUNTED, undefined);
    } catch {
      // It counts as it may.
    }
  }

  async #look(look: Look, isQuiet: () => boolean, isLeaving: boolean): Promise<boolean> {
    this.#isUnsure = true;
    const { hold } = this;
    const late = (mayLook: boolean) => {
      if (mayLook) this.#line.notify(LOOKED, { hold, seen: undefined });
    };
    if (!(await this.#call(LOOK_ALONE, { hold, isLeaving }, { late }))) return false;
    let seen: Seen | undefined;
    try {
      const now = valid(await look());
      if (isQuiet()) seen = now;
    } finally {
      if (seen !== undefined) {
        this.#claimed = seen.size;
        this.#given = seen.size;
        this.#isShared = false;
        this.#isUnsure = false;
        this.#isUnnamed ||= seen.isUnnamed;
      }
      this.#line.notify(LOOKED, { hold, seen });
    }
    await this.#allCounted();
    return seen !== undefined;
  }

  async #ask(size: number, appended: number): Promise<boolean> {
    this.#asking += appended;
    try {
      const returns = this.#returns;
      let given = await this.#grow(size, appended);
      if (this.#isShared && given?.isShared === false) {
        // The file became shared meanwhile, and what this question brought was given back, except for what is being written.
        if (appended === 0) return true;
        given = await this.#grow(size, appended);
      }
      if (given === undefined) return false;
      // What was given beyond that is given back by now.
      const mine = this.#returns === returns ? given.reach : Math.min(given.reach, size);
      this.#given = Math.max(this.#given, mine);
      return true;
    } finally {
      this.#asking -= appended;
    }
  }

  #grow(size: number, appended: number): Promise<FileGiven | undefined> {
    return this.#call(GROW_FILE, { hold: this.hold, size, appended });
  }

  #call<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    options?: CallOptions<Answer>,
  ): Promise<Answer> {
    return this.#turns.questions.run(() => this.#files.calls.call(operation, request, options));
  }
}

function valid(seen: Seen): Seen | undefined {
  return isSize(seen.size) ? seen : undefined;
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}
