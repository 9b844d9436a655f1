import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { inject } from "vitest";
import { makeFolderOnce } from "../support/run-folder.js";
import { runOk } from "../support/tools.js";

export const ROOT = resolve(import.meta.dirname, "../..");
export const PROGRAMS = join(import.meta.dirname, "programs");

/** Milliseconds that what starts compilers may take while other tests run. */
export const SLOW = 120_000;

/** For what asks the registry: all that this machine needs for that, whatever it is. */
export const ENVIRONMENT = { ...process.env } as Readonly<Record<string, string>>;

/** The packages that the packed one asks for: the rest of it is bundled. */
const DEPENDENCIES = ["node-gyp-build"];

/** What npm packs of this checkout, whose `dist/` is made where it is older than its sources. */
export async function packedPackage(): Promise<string> {
  const folder = join(inject("runFolder"), "packed");
  await makeFolderOnce(folder, async (made) => {
    if (!isBuilt()) execFileSync(process.execPath, [join(ROOT, "packaging/build.mjs")], { stdio: "inherit" });
    await pack(made);
  });
  return tarballIn(folder);
}

/** Packs into a folder, without the scripts that would build first. */
export async function pack(folder: string): Promise<string> {
  const environment = { HOME: folder, npm_config_cache: join(folder, "cache") };
  await runOk("npm", ["pack", ROOT, "--ignore-scripts", "--pack-destination", folder], { environment, timeout: SLOW });
  return tarballIn(folder);
}

function tarballIn(folder: string): string {
  const [name] = readdirSync(folder).filter((entry) => entry.endsWith(".tgz"));
  if (name === undefined) throw new Error(`there is no tarball in ${folder}`);
  return join(folder, name);
}

function isBuilt(): boolean {
  const newest = (folder: string) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(ROOT, folder, name)).mtimeMs)
      .reduce((one, other) => Math.max(one, other), statSync(join(ROOT, "package.json")).mtimeMs);
  const last = join(ROOT, "dist/third-party-licenses.txt");
  return existsSync(last) && statSync(last).mtimeMs >= Math.max(newest("src"), newest("packaging"));
}

/**
 * Makes a project with the packed package among its own, as npm would lay them, and the programs beside them.
 *
 * @param others packages of this checkout that the project has, too
 */
export async function makeProject(folder: string, others: readonly string[] = []): Promise<void> {
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "spindlex"), { recursive: true });
  await runOk("tar", ["xzf", await packedPackage(), "--strip-components=1", "-C", join(packages, "spindlex")]);
  for (const name of [...DEPENDENCIES, ...others]) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(packages, name));
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true }));
  cpSync(PROGRAMS, folder, { recursive: true });
}

/** Removes a folder, also where nothing in it may be written. */
export function removeProject(folder: string): void {
  execFileSync("chmod", ["-R", "u+w", folder]);
  rmSync(folder, { recursive: true });
}
