import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { runOk } from "./tools.js";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spindlex/compiled");

export interface Compilation {
  readonly source: string;
  readonly compiler: string;
  /** @param folder an empty one for all that is made */
  readonly parameters: (folder: string) => readonly string[];
  readonly environment?: (folder: string) => Readonly<Record<string, string>>;
}

/**
 * Compiles a source, unless an earlier run, or another worker, has done so: what is made is kept by the hash of what it is
 * made of.
 *
 * @returns the folder
 */
export async function compiled({ source, compiler, parameters, environment }: Compilation): Promise<string> {
  const hash = createHash("sha256").update(await readFile(source));
  hash.update(JSON.stringify([compiler, parameters("")]));
  const folder = join(CACHE, `${basename(source)}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    await runOk(compiler, parameters(made), { timeout: 60_000, environment: environment?.(made) });
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another worker was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
