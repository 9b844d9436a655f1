// Makes dist/ of src/: one implementation, in CommonJS, which Node.js, jest and bundlers load alike; ES modules that hand on
// its exports, so that a program that does both has one state; and types for both.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { chunkGroups, loadPartsWhenUsed } from "./parts.mjs";
import { keepReachableTypes } from "./reachable-types.mjs";
import { thirdPartyLicenses } from "./third-party-licenses.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Takes the place of dist/ when it is whole. Beside it, since the maps have relative paths. */
const DIST = mkdtempSync(join(ROOT, "dist-new-"));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** The files of the doors in dist/, without their endings: `index`, `crypto/index` and so on. */
const doors = Object.values(manifest.exports)
  .filter((door) => typeof door === "object")
  .map((door) => door.require.default.replace(/^\.\/dist\/(.+)\.js$/, "$1"));
const programs = Object.values(manifest.bin).map((path) => path.replace(/^dist\/(.+)\.js$/, "$1"));

/** Loads modules of Node.js (since 20.16) without `require`, which a bundle of this that is an ES module does not have. */
function withoutRequire(code) {
  return code.replaceAll(/\brequire\("(?:node:)?(\w+(?:\/\w+)*)"\)/g, (call, name) =>
    isBuiltin(name) ? `process.getBuiltinModule("node:${name}")` : call,
  );
}

/**
 * With escapes in the place of what is not ASCII: V8 keeps a file with a single character beyond Latin-1 with two bytes for each of
 * its characters, a megabyte more in each process.
 */
function inASCII(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function buildModules() {
  const entries = Object.fromEntries([...doors, ...programs].map((name) => [name, join(ROOT, `src/${name}.ts`)]));
  const bundle = await rolldown({
    cwd: ROOT,
    input: entries,
    preserveEntrySignatures: "allow-extension",
    platform: "node",
    external: [/^node:/, ...Object.keys(manifest.dependencies)],
    transform: { target: "node20.19" },
  });
  const { output } = await bundle.generate({
    dir: DIST,
    format: "cjs",
    keepNames: true,
    entryFileNames: "[name].js",
    // As deep as src/base, which looks for the addon from there. By what is in them, so that a program that runs while the package is
    // replaced cannot load parts of another version.
    chunkFileNames: ({ name }) => `chunks/${name.replace(/~.*/, "")}-[hash].js`,
    codeSplitting: { groups: chunkGroups(Object.values(entries)) },
    // They are in the sources, which travel, and in the types. What bundlers heed stays.
    comments: { annotation: true, jsdoc: false, legal: true },
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  await bundle.close();
  for (const file of output) {
    const path = join(DIST, file.fileName);
    mkdirSync(dirname(path), { recursive: true });
    const code = file.type === "chunk" ? inASCII(loadPartsWhenUsed(withoutRequire(file.code))) : file.source;
    writeFileSync(path, code);
  }
  return output.flatMap(({ moduleIds = [] }) => moduleIds);
}

function buildTypes() {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(
    process.execPath,
    [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", DIST],
    {
      stdio: "inherit",
    },
  );
  if (status !== 0) process.exit(1);
  keepReachableTypes(
    DIST,
    doors.map((door) => join(DIST, `${door}.d.ts`)),
  );
}

/** A door for `import`: the names of the other one. */
function writeWrapper(door) {
  const file = join(DIST, door);
  const target = JSON.stringify(`./${door.split("/").at(-1)}.js`);
  const names = Object.keys(createRequire(import.meta.url)(`${file}.js`));
  writeFileSync(`${file}.mjs`, `export {\n${names.map((name) => `  ${name},\n`).join("")}} from ${target};\n`);
  writeFileSync(`${file}.d.mts`, `export * from ${target};\n`);
}

process.once("exit", () => rmSync(DIST, { recursive: true, force: true }));
buildTypes();
const modules = await buildModules();
writeFileSync(join(DIST, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
for (const door of doors) writeWrapper(door);
const bundled = modules.filter((id) => id.includes("/node_modules/")).map((id) => relative(ROOT, dirname(id)));
writeFileSync(join(DIST, "third-party-licenses.txt"), thirdPartyLicenses(ROOT, bundled));

const place = join(ROOT, "dist");
const old = mkdtempSync(join(ROOT, "dist-new-"));
if (existsSync(place)) renameSync(place, join(old, "dist"));
// Made for its owner alone.
chmodSync(DIST, 0o755);
renameSync(DIST, place);
rmSync(old, { recursive: true });
