import { Semaphore } from "../base/semaphore.js";
import { AccessDeniedError } from "./access-denied-error.js";
import type { AccessGuard } from "./access-guard.js";
import { type BasePath, basePathOf } from "./base-path.js";
import type { FileOperation } from "./file-operation.js";
import type { FileSystem, FileType } from "./file-system.js";
import { NameLocks, type Reach } from "./name-locks.js";
import { attributesAt } from "./open-as-allowed.js";

/** Milliseconds that a change waits for those of others. */
const MAX_WAIT = 10_000;

/** The number of times that a change is decided about because something else has come to one of its names meanwhile. */
const MAX_DECISIONS = 4;

/** Of all sessions in this process. */
const locks = new NameLocks();

/** What is changed, for the log. */
export interface NameChange {
  readonly operation: FileOperation;
  readonly path: string;
  /** The second name. */
  readonly to?: string;
}

/** A change that is allowed as long as the same kinds of things are at its names. */
export interface AllowedChange {
  /** Default: `name`. */
  readonly reach?: Reach;
  /** What was there; `undefined` where nothing was. */
  readonly seen: readonly (readonly [path: string, type: FileType | undefined])[];
  run(): void | Promise<void>;
}

/**
 * The changes of names by one client. Where access is decided, none of them runs while another such session changes the same
 * name: so what is changed is what was decided about.
 */
export class NameChanges {
  readonly #fileSystem: FileSystem;
  readonly #access: AccessGuard;
  readonly #signal: AbortSignal | undefined;
  /** One client has not many directories in its hands at a time. */
  readonly #moves = new Semaphore(1);

  /** @param signal fires when the client has gone */
  constructor(fileSystem: FileSystem, access: AccessGuard, signal: AbortSignal | undefined) {
    this.#fileSystem = fileSystem;
    this.#access = access;
    this.#signal = signal;
  }

  /** Runs a change that is allowed whatever is there. */
  async run<T>(change: NameChange, run: () => T | Promise<T>): Promise<T> {
    if (!this.#access.decides) return run();
    return this.#alone(change, "name", async () => run());
  }

  /**
   * Runs a change that is decided about by what is there. The decision itself may take its time.
   *
   * @throws {AccessDeniedError} EBUSY where something else is there each time that it was decided
   */
  async runAllowed(change: NameChange, decide: () => Promise<AllowedChange>): Promise<void> {
    for (let decisions = 1; decisions <= MAX_DECISIONS; decisions++) {
      const allowed = await decide();
      if (!this.#access.decides) return allowed.run();
      const ifUnchanged = async () => {
        const isSame = await this.#isThere(allowed.seen);
        if (isSame) await allowed.run();
        return isSame;
      };
      const { reach = "name" } = allowed;
      const alone = () => this.#alone(change, reach, ifUnchanged);
      if (await (reach === "tree" ? this.#moves.run(alone) : alone())) return;
    }
    throw busy(change, "something else comes to the name again and again");
  }

  #alone<T>(change: NameChange, reach: Reach, run: () => Promise<T>): Promise<T> {
    const { path, to } = change;
    const places = [path, ...(to === undefined ? [] : [to])]
      .map((name) => basePathOf(this.#fileSystem, name))
      .filter((place): place is BasePath => place !== undefined);
    const overdue = () => busy(change, `too many others change the name, or for more than ${MAX_WAIT / 1000} s`);
    return locks.run(places, reach, { milliseconds: MAX_WAIT, overdue, signal: this.#signal }, run);
  }

  async #isThere(seen: AllowedChange["seen"]): Promise<boolean> {
    for (const [path, type] of seen) {
      if ((await attributesAt(this.#fileSystem, path))?.type !== type) return false;
    }
    return true;
  }
}

function busy({ operation, path, to }: NameChange, why: string): AccessDeniedError {
  return new AccessDeniedError({ operation, path, ...(to !== undefined && { to }), why }, "EBUSY");
}
