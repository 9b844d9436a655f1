import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { benchCases } from "./cases.js";
import { Results, type SavedRun, type Unit } from "./results.js";
import { scaleCases } from "./scale-cases.js";
import { renderComparison, renderSummary } from "./table.js";

// `npm run bench:pages -- FILE...`: writes what `npm run bench -- --json FILE` measured into the pages, so that nobody types
// a figure. Cases that are in none of the files leave their part of a page as it is.

/** What the overview shows. */
const summary: readonly { readonly label: string; readonly caseName: string; readonly unit: Unit }[] = [
  { label: "exec output, aes128-gcm, MB/s", caseName: "output aes128-gcm@openssh.com", unit: "MB/s" },
  { label: "exec input, aes128-gcm, MB/s", caseName: "input aes128-gcm@openssh.com", unit: "MB/s" },
  { label: "`sftp` get, MB/s", caseName: "sftp get", unit: "MB/s" },
  { label: "`sftp` put, MB/s", caseName: "sftp put", unit: "MB/s" },
  { label: "connect and exec, curve25519, CPU ms", caseName: "connect + exec curve25519-sha256", unit: "CPU ms" },
];

/** Puts a text between the two comments of a page that have the name. */
function writeInto(page: string, name: string, text: string): void {
  const file = fileURLToPath(new URL(`../${page}`, import.meta.url));
  const [start, end] = [`<!-- ${name}:start -->\n`, `<!-- ${name}:end -->`];
  const before = readFileSync(file, "utf8");
  const from = before.indexOf(start);
  const to = before.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${page} does not have the two comments of ${name}`);
  writeFileSync(file, `${before.slice(0, from)}${start}${text}\n${before.slice(to)}`);
  process.stdout.write(`${page}: ${name}\n`);
}

function main(files: readonly string[]): void {
  if (files.length === 0) throw new TypeError("name the JSON files of one run, or of several");
  for (const file of files) {
    const run: SavedRun = JSON.parse(readFileSync(file, "utf8"));
    const results = Results.fromJSON(run.results);
    const mebibytes = run.options.transferBytes / 1024 ** 2;
    const rounds = run.options.rounds === 1 ? "one round" : `medians of ${run.options.rounds} rounds`;
    const conditions = `Measured on ${run.date.slice(0, 10)}, ${rounds}, ${mebibytes} MiB each: ${run.contenders.join("; ")}.`;
    for (const [name, cases] of [
      ["bench", benchCases],
      ["bench-scale", scaleCases],
    ] as const) {
      const table = renderComparison(cases, results);
      if (table !== undefined) writeInto("docs/performance.md", name, `${conditions}\n\n${table}`);
    }
    const short = renderSummary(summary, results);
    if (short !== undefined) writeInto("docs/overview.md", "bench", short);
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
