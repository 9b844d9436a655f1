import type { QuotaUsage, Seen } from "../../base/quota-ledger.js";
import { isWithin } from "../../files/path.js";
import { ShareWatch } from "../../files/wrappers/share-watch.js";
import type { ProcessLine } from "../calls/process-line.js";
import { CountedEntry, type Hold } from "./counted-entry.js";
import { NameLock } from "./name-lock.js";
import {
  type AccountOpening,
  type FileGiven,
  type FileHeld,
  type FileNeeds,
  MAX_PATH_LENGTH,
  MAX_PATHS,
  RECLAIM,
  VISIT,
  WARNING,
} from "./quota-operations.js";

/** What is given beyond what was asked for, bytes: a writer asks once for so much. Less where less is free. */
const ADVANCE = 4 * 1024 * 1024;
const ADVANCE_SHARE = 1 / 64;

/** Files of one account that are open, or were when their worker died. */
const MAX_FILES = 100_000;

/** How often workers are asked to look at one file that was left: it may be one that cannot be looked at. */
const MAX_VISITS = 3;

/** Seconds that a worker may take to give back what it does not need. */
const RECLAIM_TIME = 2;

/** Limits that a tree is watched by: the newest. */
const MAX_LIMITS = 100;

/** Those who have the same limit, and when they are warned. */
interface Warned {
  readonly warnAt: number;
  readonly watch: ShareWatch;
  /** The last that has used it, if it is there. */
  line: ProcessLine | undefined;
}

interface Lister {
  readonly line: ProcessLine;
  readonly answer: (task: "ready" | "list") => void;
}

/**
 * The quota of one tree, as all workers share it. A file that one worker has open may grow without a question up to what
 * was given to it. What is counted is never less than what is on the disk: what is uncertain counts, until somebody has
 * looked at the file while no other worker had it.
 */
export class PrimaryAccount {
  readonly name: string;
  readonly names = new NameLock();
  /** Objects that use it, by worker. */
  readonly users = new Map<ProcessLine, number>();
  readonly #files = new Map<string | symbol, CountedEntry>();
  /** Those who wait for the listing; the first one lists. */
  readonly #listers: Lister[] = [];
  #isListed = false;
  #holds = 0;
  #used = 0;
  readonly #warned = new Map<number, Warned>();

  constructor(name: string) {
    this.name = name;
  }

  /** Whether no worker has anything of it. */
  get isIdle(): boolean {
    return this.users.size === 0 && this.#holds === 0 && this.names.isFree && this.#listers.length === 0;
  }

  usage(limit: number): QuotaUsage {
    return { used: this.#used, limit, left: Math.max(0, limit - this.#used) };
  }

  /** @param signal fires when the worker does not wait any more */
  async open(line: ProcessLine, opening: AccountOpening, signal: AbortSignal): Promise<"ready" | "list"> {
    const { limit, used, warnAt } = opening;
    this.users.set(line, (this.users.get(line) ?? 0) + 1);
    this.#watchLimit(line, limit, warnAt);
    this.#askToVisit(line, this.#leftFiles());
    if (this.#isListed) return "ready";
    if (used !== undefined) {
      this.#listed(used);
      return "ready";
    }
    return new Promise((answer, reject) => {
      const lister = { line, answer };
      if (this.#listers.push(lister) === 1) answer("list");
      signal.addEventListener("abort", () => {
        // It rejects only where the worker has not heard that it is to list.
        reject(signal.reason);
        this.#leaveListing(lister);
        this.close(line);
      });
    });
  }

  listed(line: ProcessLine, size: number | undefined): void {
    const [lister] = this.#listers;
    if (lister?.line !== line || this.#isListed) return;
    if (size === undefined) this.#leaveListing(lister);
    else this.#listed(size);
  }

  close(line: ProcessLine): void {
    const users = this.users.get(line) ?? 0;
    if (users > 1) this.users.set(line, users - 1);
    else this.users.delete(line);
  }

  /** @throws {Error} when too many files are open */
  async hold(hold: Hold, identity: string | symbol, path: string | undefined, signal: AbortSignal): Promise<FileHeld> {
    let entry = this.#files.get(identity);
    while (entry !== undefined && (entry.looker !== undefined || entry.mayBecomeShared)) {
      if (entry.looker !== undefined) await entry.lookOver(signal);
      else await this.#share(entry);
      signal.throwIfAborted();
      entry = this.#files.get(identity);
    }
    // What has no name cannot be opened any more: it was before, or another file has got the number. A look tells.
    const former = entry?.isUnnamed ? entry : undefined;
    if (entry === undefined || former !== undefined) {
      if (Math.max(this.#files.size, this.#holds) >= MAX_FILES) throw new Error("too many files are open");
      entry = new CountedEntry(identity, former);
      this.#files.set(identity, entry);
    }
    entry.path = path ?? entry.path;
    const isToLook = entry.holds.size === 0 || !entry.isKnown;
    entry.holds.add(hold);
    hold.entry = entry;
    this.#holds++;
    if (!isToLook) return { reach: entry.reach, isShared: true };
    entry.looker = hold;
    return { reach: undefined, isShared: false };
  }

  /** @returns `undefined` where there is no room */
  async grow(hold: Hold, size: number, appended: number): Promise<FileGiven | undefined> {
    const { entry, line, limit } = hold;
    if (entry === undefined) return undefined;
    const warned = this.#warned.get(limit);
    if (warned !== undefined) warned.line = line;
    // What it needs is told by then.
    await entry.reclaiming;
    if (hold.entry !== entry) return undefined;
    if (this.#raise(entry, limit, size, appended)) return given(entry);
    if (!(await this.#reclaim())) return undefined;
    await entry.reclaiming;
    return hold.entry === entry && this.#raise(entry, limit, size, appended) ? given(entry) : undefined;
  }

  /** @returns whether the worker may look: nobody else changes the file then, until it has told what it saw */
  async lookAlone(hold: Hold, isLeaving: boolean, signal: AbortSignal): Promise<boolean> {
    const { entry } = hold;
    if (entry === undefined) return false;
    hold.isLeaving ||= isLeaving;
    entry.isUnsure ||= isLeaving;
    while (entry.looker !== undefined || entry.reclaiming !== undefined) {
      if (entry.looker !== undefined) await entry.lookOver(signal);
      else await entry.reclaiming;
    }
    if (hold.entry !== entry) return false;
    if ([...entry.holds].some((other) => other !== hold && !other.isLeaving)) return false;
    entry.looker = hold;
    return true;
  }

  /** Files are looked for by their paths when nobody knows how large they are. */
  moved(line: ProcessLine, oldPath: string, newPath: string): void {
    const left: CountedEntry[] = [];
    for (const entry of this.#files.values()) {
      if (entry.path === undefined || !isWithin(entry.path, oldPath)) continue;
      const path: string = newPath + entry.path.slice(oldPath.length);
      // No client reaches it there, and no worker can be told of it.
      entry.path = path.length > MAX_PATH_LENGTH ? undefined : path;
      if (entry.holds.size > 0) continue;
      // A worker that was asked to look at it may have found nothing at the old path.
      entry.visits = 0;
      left.push(entry);
    }
    this.#askToVisit(line, left);
  }

  /** It counts until no worker has it open. */
  unnamed({ entry }: Hold): void {
    if (entry !== undefined) entry.isUnnamed = true;
  }

  /** A worker has seen how large a file is, while no other one had it. */
  looked(hold: Hold, seen: Seen | undefined): void {
    const { entry } = hold;
    if (entry?.looker !== hold) return;
    if (seen !== undefined) {
      const { size, isUnnamed } = seen;
      if (isUnnamed && entry.former !== undefined && entry.former.holds.size > 0) {
        this.#join(hold, entry, entry.former, size);
        return;
      }
      entry.former = undefined;
      // What has a name was counted with the tree, and what has none any more was not when it was opened.
      const counted = entry.isKnown ? entry.counted : isUnnamed ? 0 : size;
      this.#change(size - counted);
      entry.set(size);
      if (isUnnamed) this.unnamed(hold);
    }
    entry.endLook();
  }

  /**
   * A worker has the file open no more.
   *
   * @param needed bytes that it has used of what it may; `undefined` where it has died
   */
  leave(hold: Hold, needed: number | undefined, isUnsure: boolean): void {
    const { entry } = hold;
    if (entry === undefined || !entry.holds.delete(hold)) return;
    hold.entry = undefined;
    this.#holds--;
    if (entry.looker === hold) entry.endLook();
    // One that has asked to look has told by then what it is not sure of, and another may have looked since.
    entry.isUnsure ||= entry.isShared || needed === undefined || (isUnsure && !hold.isLeaving);
    if (needed !== undefined && !entry.isUnsure && !hold.isLeaving && entry.isKnown)
      this.#setReach(entry, Math.min(entry.reach, needed));
    if (entry.holds.size > 0) return;
    if (entry.isKnown && entry.isUnnamed) this.#change(-entry.counted);
    else if (entry.isKnown && entry.isUnsure) {
      const [line] = this.users.keys();
      // Those of a worker that has died are visited together.
      if (line !== undefined && needed !== undefined) this.#askToVisit(line, [entry]);
      return;
    }
    this.#forget(entry);
  }

  /** A worker has died. Its holds are gone by now. */
  lineOver(line: ProcessLine): void {
    this.users.delete(line);
    for (const warned of this.#warned.values()) if (warned.line === line) warned.line = undefined;
    for (const lister of this.#listers.filter((one) => one.line === line)) this.#leaveListing(lister);
    const [other] = this.users.keys();
    if (other !== undefined) this.#askToVisit(other, this.#leftFiles());
  }

  /** A worker has opened a file before that lost its name, and others have it, too. */
  #join(hold: Hold, entry: CountedEntry, former: CountedEntry, size: number): void {
    entry.holds.delete(hold);
    this.#files.set(former.identity, former);
    former.holds.add(hold);
    hold.entry = former;
    const growth = Math.max(0, size - former.reach);
    former.reach += growth;
    this.#change(growth);
    if (!former.isShared) this.#addAppended(former, former.reach);
    former.isShared = true;
    // They learn of it before they get any more.
    for (const { line, number } of former.holds) line.call(RECLAIM, { hold: number, isShared: true }).catch(() => {});
    entry.endLook();
  }

  #listed(size: number): void {
    this.#isListed = true;
    this.#change(size);
    for (const { answer } of this.#listers.splice(0)) answer("ready");
  }

  #leaveListing(lister: Lister): void {
    const place = this.#listers.indexOf(lister);
    if (place < 0) return;
    this.#listers.splice(place, 1);
    if (place === 0) this.#listers[0]?.answer("list");
  }

  #raise(entry: CountedEntry, limit: number, size: number, appended: number): boolean {
    const isAppending = entry.isShared && appended > 0;
    const reach = isAppending ? entry.reach : Math.max(entry.reach, size);
    const appends = isAppending ? entry.appended + appended : entry.appended;
    const growth = reach + appends - entry.counted;
    const { left } = this.usage(limit);
    if (growth > left) return false;
    // A small file is written at once and closed: what it has beyond would only have to come back.
    const mayHaveMore = growth > 0 && !entry.isShared && entry.hasGrown;
    entry.hasGrown ||= growth > 0;
    const advance = mayHaveMore ? Math.min(ADVANCE, Math.floor((left - growth) * ADVANCE_SHARE)) : 0;
    entry.reach = reach + advance;
    entry.appended = appends;
    entry.hasAdvance ||= advance > 0;
    this.#change(growth + advance);
    return true;
  }

  /** @returns whether anything can have been given back */
  async #reclaim(): Promise<boolean> {
    const entries = [...this.#files.values()].filter((entry) => entry.hasAdvance && !entry.isShared);
    await Promise.all(entries.map((entry) => entry.reclaiming ?? this.#startReclaiming(entry, false)));
    return entries.length > 0;
  }

  /** Two workers are to have a file. Resolves when that is so, or when something else is to be waited for first. */
  async #share(entry: CountedEntry): Promise<void> {
    await entry.reclaiming;
    if (!entry.mayBecomeShared || entry.looker !== undefined || entry.reclaiming !== undefined) return;
    await this.#startReclaiming(entry, true);
    if (entry.holds.size > 0) entry.isShared = true;
  }

  #startReclaiming(entry: CountedEntry, isShared: boolean): Promise<void> {
    // While it is not shared, only one worker changes it.
    const hold = [...entry.holds].find(({ isLeaving }) => !isLeaving);
    if (hold === undefined) return Promise.resolve();
    const reclaiming = this.#reclaimFrom(hold, entry, isShared).finally(() => {
      entry.reclaiming = undefined;
    });
    entry.reclaiming = reclaiming;
    return reclaiming;
  }

  async #reclaimFrom(hold: Hold, entry: CountedEntry, isShared: boolean): Promise<void> {
    const before = entry.reach;
    let needs: FileNeeds | undefined;
    try {
      needs = await hold.line.call(RECLAIM, { hold: hold.number, isShared }, { seconds: RECLAIM_TIME });
    } catch {
      // It keeps what it has until its line is over.
    }
    if (!entry.holds.has(hold)) return;
    if (needs !== undefined && entry.reach === before) {
      this.#setReach(entry, Math.min(entry.reach, needs.size));
      entry.hasAdvance = false;
    }
    // Where nobody tells how much is being appended, it may be all of the file.
    if (isShared) this.#addAppended(entry, needs?.appending ?? entry.reach);
  }

  /** Nobody has them, and nobody knows how large they are: they count as before until a worker has looked. */
  #leftFiles(): CountedEntry[] {
    return [...this.#files.values()].filter((entry) => entry.holds.size === 0);
  }

  #askToVisit(line: ProcessLine, entries: readonly CountedEntry[]): void {
    const paths = entries.flatMap((entry) => (entry.visits++ < MAX_VISITS ? (entry.path ?? []) : []));
    for (let asked = 0; asked < paths.length; asked += MAX_PATHS) {
      line.notify(VISIT, { account: this.name, paths: paths.slice(asked, asked + MAX_PATHS) });
    }
  }

  #forget(entry: CountedEntry): void {
    if (this.#files.get(entry.identity) !== entry) return;
    const { identity, former } = entry;
    if (former !== undefined && former.holds.size > 0) this.#files.set(identity, former);
    else this.#files.delete(identity);
  }

  #watchLimit(line: ProcessLine, limit: number, warnAt: number | undefined): void {
    const known = this.#warned.get(limit);
    if (warnAt === undefined) return;
    if (known?.warnAt === warnAt) {
      known.line = line;
      return;
    }
    for (const oldest of this.#warned.keys()) if (this.#warned.size >= MAX_LIMITS) this.#warned.delete(oldest);
    const warned: Warned = {
      warnAt,
      watch: new ShareWatch(warnAt, (usage) => warned.line?.notify(WARNING, { account: this.name, ...usage })),
      line,
    };
    this.#warned.set(limit, warned);
    if (this.#isListed) warned.watch.look(this.usage(limit));
  }

  #addAppended(entry: CountedEntry, bytes: number): void {
    entry.appended += bytes;
    this.#change(bytes);
  }

  #setReach(entry: CountedEntry, reach: number): void {
    this.#change(reach - entry.reach);
    entry.reach = reach;
  }

  #change(bytes: number): void {
    if (bytes === 0) return;
    this.#used = Math.max(0, this.#used + bytes);
    for (const [limit, { watch }] of this.#warned) watch.look(this.usage(limit));
  }
}

function given({ reach, isShared }: CountedEntry): FileGiven {
  return { reach, isShared };
}
