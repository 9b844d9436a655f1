import { readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Removes from a folder the declarations that no door leads to: of what is not public there are more than of what is. */
export function keepReachableTypes(folder, doors) {
  const reached = new Set();
  for (const door of doors) follow(door, reached);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !reached.has(file.replace(/\.map$/, ""))) rmSync(file);
  }
  for (const { parentPath, name } of entries.filter((entry) => entry.isDirectory()).reverse()) {
    const left = join(parentPath, name);
    if (readdirSync(left).length === 0) rmdirSync(left);
  }
}

function follow(file, reached) {
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, target] of readFileSync(file, "utf8").matchAll(/\b(?:from |import |import\()"(\.[^"]+)\.js"/g)) {
    follow(resolve(dirname(file), `${target}.d.ts`), reached);
  }
}
