import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import manifest from "../../package.json" with { type: "json" };

const ROOT = resolve(import.meta.dirname, "../..");
/** In the folder of the run. */
const BUILT = "built";

/** The doors of the package, and the file of each: `["./sftp", "src/sftp/index.ts"]`. */
const DOORS = Object.entries(manifest.exports).flatMap(([door, files]) =>
  typeof files === "object"
    ? [[door, files.require.default.replace(/^\.\/dist\/(.+)\.js$/, "src/$1.ts")] as const]
    : [],
);

/** What tests start in processes of their own, or import there. */
const SOURCES = [
  ...DOORS.map(([, file]) => file),
  "src/authenticators/authorized-keys/expiry-time.ts",
  "src/cli/main.ts",
  "src/cli/serve/log.ts",
  "src/crypto/keys/ecdsa.ts",
  "src/crypto/keys/ed25519.ts",
  ...sourcesIn("examples", ".ts"),
  ...sourcesIn("test", "-process.ts"),
];

function sourcesIn(folder: string, ending: string): string[] {
  const names = readdirSync(join(ROOT, folder), { encoding: "utf8", recursive: true });
  return names.filter((name) => name.endsWith(ending)).map((name) => `${folder}/${name}`);
}

/**
 * The compiled program, or module, of one of `SOURCES`.
 *
 * @param source from the root of the checkout
 */
export function builtFile(source: string): string {
  if (!SOURCES.includes(source))
    throw new Error(`${source} is not compiled: add it to SOURCES in test/support/build.ts`);
  return join(inject("runFolder"), BUILT, source.replace(/\.ts$/, ".js"));
}

/** Part of the global setup, after that of run-folder.ts: compiles before the tests of a run start, or start again. */
export async function setup(project: TestProject): Promise<void> {
  const folder = join(project.getProvidedContext().runFolder, BUILT);
  buildAddon();
  await build(folder);
  // The programs find their packages, and the examples import this one by its name, as its users do.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  symlinkSync(join(ROOT, "prebuilds"), join(folder, "prebuilds"));
  const exports = Object.fromEntries(DOORS.map(([door, file]) => [door, `./${file.replace(/\.ts$/, ".js")}`]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, exports }));
  project.onTestsRerun(() => build(folder));
}

/** The addon, where it is older than its sources: a second. Without a compiler the tests run without it. */
function buildAddon(): void {
  const newest = (folder: string) =>
    Math.max(...sourcesIn(folder, "").map((name) => statSync(join(ROOT, name)).mtimeMs));
  const isNew = existsSync(join(ROOT, "prebuilds")) && newest("prebuilds") >= newest("native");
  if (!isNew) execFileSync(process.execPath, [join(ROOT, "native/build.mjs"), "--if-possible"], { stdio: "inherit" });
}

/** Makes few files of the sources: a process that reads each of them by itself takes twice the time to start. */
async function build(folder: string): Promise<void> {
  const esbuild = await import("esbuild");
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: SOURCES,
    outdir: folder,
    outbase: ".",
    // As deep as src/base, which looks for the addon from there.
    chunkNames: "src/chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    keepNames: true,
    // The paths of tsconfig.json would lead the examples past the doors of the package.
    tsconfigRaw: {},
    logLevel: "warning",
  });
}
