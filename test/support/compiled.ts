import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { requirementsOf, type ToolName } from "./clients.js";
import { makeFolderOnce } from "./run-folder.js";
import { runOk } from "./tools.js";

/** What earlier runs have compiled. */
export const COMPILED = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spindlex/compiled");

export interface Compilation {
  /** Compiled anew when what it needs is another version. */
  readonly tool: ToolName;
  readonly sources: readonly string[];
  readonly compiler: string;
  /** @param folder an empty one for all that is made */
  readonly parameters: (folder: string) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Compiles sources, unless an earlier run, or another worker, has done so: the result is kept by the hash of
 * the sources, the parameters and the versions of what the tool needs.
 *
 * @returns the folder
 */
export async function compiled({ tool, sources, compiler, parameters, environment }: Compilation): Promise<string> {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const versions = await Promise.all(requirementsOf(tool).map(versionOf));
  hash.update(JSON.stringify([compiler, parameters(""), versions]));
  const folder = join(COMPILED, `${tool}-${hash.digest("hex").slice(0, 16)}`);
  await mkdir(COMPILED, { recursive: true });
  await makeFolderOnce(folder, async (made) => {
    await runOk(compiler, parameters(made), { timeout: 60_000, environment });
  });
  return folder;
}

/** Of a package's file: what changes when the package is upgraded. */
async function versionOf(file: string): Promise<readonly unknown[]> {
  const path = await realpath(file);
  const { size, mtimeMs } = await stat(path);
  return [path, size, mtimeMs];
}
