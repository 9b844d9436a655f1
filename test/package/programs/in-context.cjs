// Runs a program, and what it requires, in a context of node:vm with an `Error` of its own, as jest does.
const { readFileSync } = require("node:fs");
const { createRequire, isBuiltin } = require("node:module");
const { dirname } = require("node:path");
const { compileFunction, createContext, runInContext } = require("node:vm");

const context = createContext({});
const own = new Set(runInContext("Object.getOwnPropertyNames(globalThis)", context));
for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (!own.has(name) || name === "Uint8Array" || name === "ArrayBuffer") context[name] = globalThis[name];
}

const loaded = new Map();

function load(path) {
  if (path.endsWith(".json")) return JSON.parse(readFileSync(path, "utf8"));
  if (path.endsWith(".node")) return require(path);
  const known = loaded.get(path);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(path, module);
  const { resolve } = createRequire(path);
  const requireIn = (name) => (isBuiltin(name) ? require(name) : load(resolve(name)));
  requireIn.resolve = resolve;
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  const run = compileFunction(readFileSync(path, "utf8"), parameters, { filename: path, parsingContext: context });
  run(module.exports, requireIn, module, path, dirname(path));
  return module.exports;
}

const { disk } = load(require.resolve("./disk.cjs"));
disk().then(() => console.log("the disk is served"));
