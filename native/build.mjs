// Builds the addon with the C compiler of this machine, to where node-gyp-build looks for it: `prebuilds/` in this folder, or
// in that of `--to`. Where `--if-possible` is given, a machine that cannot is told so in one line, and that is all. CC and
// CFLAGS are taken from the environment.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COMPILER = process.env.CC || "cc";
const FLAGS = [
  ...["-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"],
  ...["-Wall", "-Wextra", "-Wconversion", "-Werror"],
  ...(process.env.CFLAGS?.split(/\s+/).filter(Boolean) ?? []),
];
/**
 * What the program that loads the addon has is not looked for, the C library included: so that the file asks for no version of
 * it, and runs with older ones than this machine's. What is missing there is found when it is loaded, not when it is called.
 */
const LINKING = {
  linux: ["-shared", "-nostdlib", "-Wl,-z,relro,-z,now"],
  darwin: ["-bundle", "-undefined", "dynamic_lookup"],
}[process.platform] ?? ["-shared"];

const { values } = parseArgs({
  options: { "if-possible": { type: "boolean" }, to: { type: "string", default: ROOT } },
});
const folder = join(values.to, "prebuilds", `${process.platform}-${process.arch}`);

/** Whether it was done; otherwise what the compiler said. */
function run(parameters) {
  const { error, status, stdout, stderr } = spawnSync(COMPILER, parameters, { encoding: "utf8" });
  if (error !== undefined) return { done: false, output: `${COMPILER}: ${error.code ?? error.message}` };
  return { done: status === 0, output: `${stdout}${stderr}`.trim() };
}

function build() {
  const machine = run(["-dumpmachine"]);
  if (!machine.done) return machine;
  const libc = process.platform === "linux" ? (machine.output.includes("musl") ? ".musl" : ".glibc") : "";
  const headers = join(ROOT, "node_modules/node-api-headers/include");
  const sources = readdirSync(join(ROOT, "native"))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(ROOT, "native", name));
  const file = join(folder, `spindlex${libc}.node`);
  mkdirSync(dirname(file), { recursive: true });
  // A process that has loaded the old file keeps it.
  const made = `${file}.${process.pid}`;
  const compiled = run([...FLAGS, "-isystem", headers, ...sources, "-o", made, ...LINKING]);
  if (compiled.done) renameSync(made, file);
  else rmSync(made, { force: true });
  return compiled;
}

const { done, output } = build();
if (!done && values["if-possible"]) {
  const [cause] = output.split("\n");
  console.log(`spindlex seals packets by node:crypto: its addon was not built, which is optional (${cause})`);
} else if (!done) {
  console.error(output);
  process.exitCode = 1;
}
