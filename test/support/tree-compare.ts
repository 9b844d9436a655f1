import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";

/** What two trees are to have in common beside their names, types and bytes. */
export type Compared = "modes" | "times" | "directory modes" | "directory times";

interface Found {
  readonly type: string;
  /** Of a file, the hash of its bytes; of a link, its target. */
  readonly content: string;
  readonly mode: number;
  /** Whole seconds, for that is what the protocol carries. */
  readonly modified: number;
}

/** How `actual` differs from `expected`, one line for each difference: none when they are the same. */
export async function treeDifferences(
  expected: string,
  actual: string,
  compared: readonly Compared[] = [],
): Promise<string[]> {
  const [wanted, found] = [await readTree(expected), await readTree(actual)];
  const missing = [...wanted.keys()].filter((path) => !found.has(path)).map((path) => `${shown(path)} is missing`);
  const added = [...found.keys()].filter((path) => !wanted.has(path)).map((path) => `${shown(path)} is too many`);
  const changed = [...wanted].flatMap(([path, entry]) => {
    const other = found.get(path);
    return other ? entryDifferences(entry, other, compared).map((text) => `${shown(path)}: ${text}`) : [];
  });
  return [...missing, ...added, ...changed];
}

function entryDifferences(wanted: Found, found: Found, compared: readonly Compared[]): string[] {
  if (wanted.type !== found.type) return [`a ${found.type}, not a ${wanted.type}`];
  const differences: string[] = [];
  if (wanted.content !== found.content) differences.push(`holds ${found.content}, not ${wanted.content}`);
  if (wanted.type === "link") return differences;
  const prefix = wanted.type === "directory" ? "directory " : "";
  if (compared.includes(`${prefix}modes` as Compared) && wanted.mode !== found.mode)
    differences.push(`mode ${found.mode.toString(8)}, not ${wanted.mode.toString(8)}`);
  if (compared.includes(`${prefix}times` as Compared) && wanted.modified !== found.modified)
    differences.push(`modified at ${found.modified}, not ${wanted.modified}`);
  return differences;
}

/** Everything in a folder, by its path; each character of a path stands for one byte, for names may hold any. */
async function readTree(folder: string): Promise<Map<string, Found>> {
  const tree = new Map<string, Found>();
  const names = await readdir(folder, { encoding: "buffer", recursive: false });
  await collect(Buffer.from(folder), "", names, tree);
  return tree;
}

async function collect(folder: Buffer, prefix: string, names: readonly Buffer[], tree: Map<string, Found>) {
  for (const name of names) {
    const path = Buffer.concat([folder, Buffer.from("/"), name]);
    const key = `${prefix}${name.toString("latin1")}`;
    const stats = await lstat(path);
    const type = typeOf(stats);
    const content = await contentOf(type, path, stats);
    tree.set(key, { type, content, mode: stats.mode & 0o7777, modified: Math.floor(stats.mtimeMs / 1000) });
    if (type === "directory") await collect(path, `${key}/`, await readdir(path, { encoding: "buffer" }), tree);
  }
}

function typeOf(stats: Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "special file";
}

async function contentOf(type: string, path: Buffer, { size }: Stats): Promise<string> {
  if (type === "link") return `${shown((await readlink(path, { encoding: "buffer" })).toString("latin1"))}`;
  if (type !== "file") return "";
  const hash = createHash("sha256").update(await readFile(path));
  return `${size} bytes (SHA-256 ${hash.digest("hex").slice(0, 16)}…)`;
}

/** @param path in Latin-1 */
function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, "latin1").toString("utf8"));
}
