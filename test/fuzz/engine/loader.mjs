// Module hooks of the fuzzer's processes: what harnesses import from src/ is loaded from .fuzz/built/, with counters added.
// JavaScript, because the thread of the hooks loads it before anything that could read TypeScript.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const SOURCES = new URL("../../../src/", import.meta.url).href;
const BUILT = new URL("../../../.fuzz/built/", import.meta.url).href;

let instrument;

export async function initialize() {
  ({ instrument } = await import("./instrument.ts"));
}

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && context.parentURL !== undefined) {
    const { href } = new URL(specifier, context.parentURL);
    if (href.startsWith(SOURCES))
      return { url: BUILT + href.slice(SOURCES.length), format: "module", shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith(BUILT)) return next(url, context);
  const source = await readFile(fileURLToPath(url), "utf8");
  return { source: instrument(source, url.slice(BUILT.length)), format: "module", shortCircuit: true };
}
