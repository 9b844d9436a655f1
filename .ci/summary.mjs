// Prints what the runs of .ci/run came to, the counts last: who reads the end of the output reads what went wrong.
//
// Usage: node .ci/summary.mjs [NAME STATUS SECONDS REPORT]...
import { readFileSync } from "node:fs";

const SLOWEST_FILES = 15;
/** Of each run. */
const FAILURES = 25;
const LINES_OF_ERROR = 8;
const CHARACTERS_OF_LINE = 240;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const print = (line) => console.log(line.length > CHARACTERS_OF_LINE ? `${line.slice(0, CHARACTERS_OF_LINE)}…` : line);

function printFailure({ file, name, errors }, outcome = "FAIL") {
  print(`  ${outcome} ${file ? `${file}: ` : ""}${name}`);
  const lines = errors.join("\n").split("\n").filter(Boolean);
  const isPlace = (line) => /^\s+at /.test(line);
  const messages = lines.filter((line) => !isPlace(line)).slice(0, LINES_OF_ERROR);
  for (const line of [...messages, ...lines.filter(isPlace).slice(0, 1)]) print(`       ${line}`);
}

const words = process.argv.slice(2);
const runs = [];
for (let i = 0; i < words.length; i += 4) {
  const [name, status, seconds, file] = words.slice(i, i + 4);
  runs.push({ name, status: Number(status), seconds, report: readReport(file) });
}

const slowest = [...(runs[0]?.report?.files ?? [])].sort((left, right) => right.seconds - left.seconds);
if (slowest.length > 0) console.log(`slowest files of ${runs[0].name}, in seconds:`);
for (const { file, seconds } of slowest.slice(0, SLOWEST_FILES)) print(`${seconds.toFixed(1).padStart(7)} ${file}`);

for (const { name, report } of runs) {
  const secondTries = report?.secondTries ?? [];
  if (secondTries.length > 0) console.log(`\n${name}, to be looked into:`);
  for (const test of secondTries.slice(0, FAILURES)) printFailure(test, "PASSED AT THE SECOND TRY");
}

for (const { name, status, report } of runs) {
  const failures = report?.failures ?? [];
  if (status === 0 && failures.length === 0) continue;
  console.log(`\n${name} ended with status ${status}:`);
  for (const failure of failures.slice(0, FAILURES)) printFailure(failure);
  if (failures.length > FAILURES) console.log(`  and ${failures.length - FAILURES} more`);
  if (!report) console.log("  it left no report, so it was cut short: its own output tells more");
  else if (failures.length === 0) console.log("  although no test failed: its own output tells more");
}

console.log("");
for (const { name, seconds, report } of runs) {
  const counts = report && `${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`;
  console.log(`tests: ${counts ?? "NO REPORT"} (${name}, ${seconds} s)`);
}
