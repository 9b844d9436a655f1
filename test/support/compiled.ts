import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { makeFolderOnce } from "./run-folder.js";
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
  await mkdir(CACHE, { recursive: true });
  await makeFolderOnce(folder, async (made) => {
    await runOk(compiler, parameters(made), { timeout: 60_000, environment: environment?.(made) });
  });
  return folder;
}
