import { BatchedEntries } from "../entry-iterator.js";
import type { DirectoryEntry, FileSystem } from "../file-system.js";
import { isReserved } from "./staged-names.js";

type Entries = ReturnType<NonNullable<FileSystem["readdir"]>>;

/** Staged files of one directory that are looked at when it is listed. More are left to the next time. */
const MAX_STAGED = 1000;

/** The entries of a directory, with those of unfinished uploads in place of the staged files. */
export class StagedListing extends BatchedEntries {
  readonly #entries: Entries;
  readonly #replace: (staged: readonly DirectoryEntry[]) => Promise<DirectoryEntry[]>;

  /** @param replace makes the entries that are to be seen of staged files */
  constructor(entries: Entries, replace: (staged: readonly DirectoryEntry[]) => Promise<DirectoryEntry[]>) {
    super();
    this.#entries = entries;
    this.#replace = replace;
  }

  async *batches(): AsyncGenerator<readonly DirectoryEntry[], void> {
    const staged: DirectoryEntry[] = [];
    for await (const batch of batchesOf(this.#entries)) {
      const hidden = batch.filter(({ name }) => isReserved(name));
      staged.push(...hidden.slice(0, MAX_STAGED - staged.length));
      yield hidden.length === 0 ? batch : batch.filter((entry) => !hidden.includes(entry));
    }
    yield await this.#replace(staged);
  }
}

async function* batchesOf(entries: Entries): AsyncGenerator<readonly DirectoryEntry[], void> {
  if (entries instanceof BatchedEntries) yield* entries.batches();
  else for await (const entry of entries) yield [entry];
}
