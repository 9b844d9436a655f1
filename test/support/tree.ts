import { chmod, lutimes, mkdir, open, symlink, writeFile } from "node:fs/promises";
import { testBytes } from "./server.js";

/** What not every client can carry. */
export type TreeFeature =
  | "links"
  | "outward links" // with a target that starts with `..` or a slash
  | "control characters" // in names
  | "newlines" // in names
  | "backslashes" // in names
  | "invalid UTF-8" // in names
  | "leading spaces" // in names
  | "both normal forms" // of one text, as two names
  | "late times"; // after January 2038

interface EntryKind {
  readonly permissions?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
  readonly needs?: readonly TreeFeature[];
}

/** One file, directory or link of the tree; the path's bytes are those of the string in Latin-1. */
type Entry = EntryKind &
  ({ readonly path: string } & (
    | { readonly size: number }
    | { readonly target: string }
    | { readonly directory: true }
  ));

const SECONDS_2001 = 1_000_000_000;
const SECONDS_2050 = 2_540_000_000;

const utf8 = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const file = (path: string, size: number, kind: EntryKind = {}): Entry => ({ path: utf8(path), size, ...kind });
const directory = (path: string, kind: EntryKind = {}): Entry => ({ path: utf8(path), directory: true, ...kind });
const link = (path: string, target: string): Entry => ({
  path,
  target,
  needs: /^(?:\/|\.\.)/.test(target) ? ["links", "outward links"] : ["links"],
});

const ENTRIES: readonly Entry[] = [
  file("plain.txt", 12_345),
  file(".hidden", 10),
  // Around what one READ or WRITE carries.
  directory("sizes"),
  file("sizes/empty", 0),
  file("sizes/one", 1),
  file("sizes/32767", 32_767),
  file("sizes/32768", 32_768),
  file("sizes/32769", 32_769),
  file("sizes/261121", 261_121),
  file("sizes/large", 3_000_001),
  directory("names with spaces"),
  file("names with spaces/two  spaces", 1),
  file("names with spaces/ around ", 1, { needs: ["leading spaces"] }),
  directory("Ünïcödé"),
  file("Ünïcödé/日本語.txt", 1),
  file("Ünïcödé/🦀.rs", 1),
  // The same text to a reader, two names to a disk.
  file(`Ünïcödé/${"Zoë".normalize("NFC")}`, 3),
  file(`Ünïcödé/${"Zoë".normalize("NFD")}`, 4, { needs: ["both normal forms"] }),
  directory("punctuation"),
  ...["it's", 'a "quote"', "-dash", "#hash", "50%", "%41", "$HOME", "`tick`", "a;b|c&d", "~tilde", "{a,b}", "<x>"].map(
    (name) => file(`punctuation/${name}`, 2),
  ),
  ...["star*", "what?", "[ab]", "=", "a:b", "!", "@"].map((name) => file(`punctuation/${name}`, 2)),
  file("punctuation/back\\slash", 2, { needs: ["backslashes"] }),
  file("punctuation/tab\there", 2, { needs: ["control characters"] }),
  file("punctuation/new\nline", 2, { needs: ["control characters", "newlines"] }),
  { path: "punctuation/caf\xe9", size: 2, needs: ["invalid UTF-8"] },
  file(`punctuation/${"long".padEnd(255, "-")}`, 2),
  directory("empty directory"),
  directory("deep"),
  ...Array.from({ length: 20 }, (_, depth) => directory(`deep${"/and deeper".repeat(depth + 1)}`)),
  file(`deep${"/and deeper".repeat(20)}/file`, 5),
  directory("modes", { permissions: 0o700 }),
  ...[0o400, 0o444, 0o600, 0o640, 0o664, 0o755, 0o777].map((permissions) =>
    file(`modes/${permissions.toString(8)}`, 1, { permissions }),
  ),
  directory("times", { modified: SECONDS_2001 }),
  file("times/1970", 1, { modified: 86_400 }),
  file("times/2001", 1, { modified: SECONDS_2001 }),
  file("times/2050", 1, { modified: SECONDS_2050, needs: ["late times"] }),
  directory("links"),
  file("links/file", 7),
  link("links/to file", "file"),
  link("links/to directory", "../deep"),
  link("links/dangling", "nowhere"),
  link("links/absolute", "/nowhere/at/all"),
];

export interface TreeOptions {
  /** What to leave out, because the client cannot carry it. */
  readonly without?: readonly TreeFeature[];
}

/** Fills a folder, which need not exist, with what a real tree may hold. */
export async function makeTree(folder: string, options: TreeOptions = {}): Promise<void> {
  const entries = chosenEntries(options);
  await mkdir(folder, { recursive: true });
  for (const entry of entries) await makeEntry(folder, entry);
  // From the innermost outwards: what is made in a directory changes its times.
  for (const entry of entries.toReversed()) await setTime(folder, entry);
}

/** The directories and files of the tree, outermost first, for a client that has to be told of each; all are UTF-8. */
export function treePaths({ without = [] }: TreeOptions = {}): { directories: string[]; files: string[] } {
  const entries = chosenEntries({ without: [...without, "invalid UTF-8"] });
  const paths = (some: readonly Entry[]) => some.map(({ path }) => Buffer.from(path, "latin1").toString("utf8"));
  return {
    directories: paths(entries.filter((entry) => "directory" in entry)),
    files: paths(entries.filter((entry) => "size" in entry)),
  };
}

function chosenEntries({ without = [] }: TreeOptions): readonly Entry[] {
  return ENTRIES.filter(({ needs = [] }) => !needs.some((feature) => without.includes(feature)));
}

async function makeEntry(folder: string, entry: Entry): Promise<void> {
  const path = inFolder(folder, entry.path);
  if ("target" in entry) return symlink(entry.target, path);
  if ("directory" in entry) {
    await mkdir(path);
    await chmod(path, entry.permissions ?? 0o755);
  } else {
    await writeFile(path, testBytes(entry.size));
    await chmod(path, entry.permissions ?? 0o644);
  }
}

async function setTime(folder: string, { path, modified = SECONDS_2001 + 86_400 }: Entry): Promise<void> {
  await lutimes(inFolder(folder, path), modified, modified);
}

/** @param path in Latin-1, as `Entry` has it */
function inFolder(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, "latin1")]);
}

/** The names that `makeManyFiles` makes, in their order. */
export function manyNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `file ${`${index}`.padStart(5, "0")}`);
}

/** A directory of many small files, each with its own name in it. */
export async function makeManyFiles(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(manyNames(count).map((name) => writeFile(`${folder}/${name}`, name)));
}

const ISLAND_LENGTH = 2000;

/** A file that is long without taking up much room. */
export async function makeSparseFile(path: string, size: number): Promise<void> {
  await using handle = await open(path, "w");
  await handle.truncate(size);
  for (const position of islands(size)) await handle.write(testBytes(ISLAND_LENGTH), 0, ISLAND_LENGTH, position);
}

/** Reads what `makeSparseFile` has written, and how long the file is. */
export async function readSparseFile(path: string): Promise<{ size: number; bytes: Buffer }> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const parts = islands(size).map(async (position) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(3 * ISLAND_LENGTH), 0, 3 * ISLAND_LENGTH, position);
    return buffer.subarray(0, bytesRead);
  });
  return { size, bytes: Buffer.concat(await Promise.all(parts)) };
}

/** Where a sparse file has data: at its ends, and across the borders that 32-bit arithmetic knows. */
function islands(size: number): number[] {
  const middle = ISLAND_LENGTH / 2;
  return [0, 2 ** 31 - middle, 2 ** 32 - middle, size - ISLAND_LENGTH].filter((at) => at >= 0 && at < size);
}
