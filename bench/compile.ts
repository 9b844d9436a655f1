import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Inside node_modules, so that the compiled servers find their packages. */
const output = join(root, "node_modules/.cache/spindlex-bench");

/**
 * Compiles the servers, the relay and this checkout's sources with the package's own settings. Run by tsx they would
 * not be what users run: its loader leaves so large a young generation behind that V8 collects garbage at other times.
 *
 * @returns the folder with the programs: `servers` and `delaying-relay.js`
 */
export function compilePrograms(): string {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", join(root, "bench/tsconfig.json")], { stdio: "inherit" });
  mkdirSync(output, { recursive: true });
  execFileSync(process.execPath, [join(root, "native/build.mjs"), "--if-possible"], { stdio: "inherit" });
  copyFileSync(join(root, "package.json"), join(output, "package.json"));
  if (existsSync(join(root, "prebuilds")))
    cpSync(join(root, "prebuilds"), join(output, "prebuilds"), { recursive: true });
  return join(output, "bench");
}
