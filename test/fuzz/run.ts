import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Executor } from "./engine/executor.js";
import { harnessNames, loadHarness } from "./engine/harness.js";
import { type Finding, type Summary, supervise } from "./engine/supervisor.js";

const HELP = `npm run fuzz -- [NAME...] [OPTIONS]

Looks for inputs that the code cannot bear, with each harness in turn, or those named.

  --seconds N   time for each harness (default 60)
  --runs N      number of inputs for each harness, in place of a time
  --seed N      of the random numbers (default: another one each time; it is printed)
  --jobs N      harnesses that run side by side (default 1)
  --input FILE  runs one input with the one harness named, and says what comes of it
  --list        names the harnesses
  --help

Ends with 0 when there was no finding, 1 when there was one, and 2 for a wrong command line. Inputs that show something
are stored in .fuzz/NAME/findings, those that reach new code in .fuzz/NAME/corpus, from where the next run goes on.
`;

class UsageError extends Error {}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string" },
      jobs: { type: "string" },
      input: { type: "string" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const known = harnessNames();
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no harness "${unknown}": see --list`);
  if (values.input !== undefined && positionals.length !== 1) throw new UsageError("--input needs one NAME");
  const runs = readNumber("runs", values.runs);
  return {
    ...values,
    names: positionals.length > 0 ? positionals : known,
    seed: readNumber("seed", values.seed) ?? Date.now() % 2 ** 32,
    jobs: readNumber("jobs", values.jobs) ?? 1,
    limits: runs === undefined ? { seconds: readNumber("seconds", values.seconds) ?? 60 } : { runs },
  };
}

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`--${option} must be a number, not "${text}"`);
  return Number(text);
}

/** Runs one input once, here. */
async function reproduce(name: string, file: string): Promise<boolean> {
  using executor = new Executor(await loadHarness(name));
  const failure = await executor.run(await readFile(file));
  console.log(failure === undefined ? `${name}: nothing found` : `${name}: ${failure.kind}\n${failure.text}`);
  return failure === undefined;
}

function printFinding(name: string, { kind, path, text }: Finding): void {
  const file = relative(process.cwd(), path);
  console.log(`\n${name}: FOUND ${kind}\n${text}\n  npm run fuzz -- ${name} --input ${file}\n`);
}

function printSummary({ name, last, firstCovered, findings }: Summary): void {
  if (last === undefined) return;
  const { runs, seconds, corpus, covered } = last;
  const speed = Math.round(runs / Math.max(seconds, 0.001));
  console.log(
    `${name.padEnd(20)} ${runs} runs in ${Math.round(seconds)} s, ${speed}/s; ${covered} branches ` +
      `(+${covered - firstCovered}), ${corpus} inputs kept; findings: ${findings.length}`,
  );
}

async function fuzz({ names, seed, jobs, limits }: ReturnType<typeof readOptions>): Promise<boolean> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  console.log(`seed ${seed}`);
  const waiting = [...names];
  let found = 0;
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined && !stop.signal.aborted; name = waiting.shift()) {
      const report = (finding: Finding) => printFinding(name ?? "", finding);
      const summary = await supervise({ name, seed, ...limits }, report, stop.signal);
      printSummary(summary);
      found += summary.findings.length;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
  console.log(found === 0 ? "nothing found" : `findings: ${found}`);
  return found === 0;
}

try {
  const options = readOptions();
  if (options.help) process.stdout.write(HELP);
  else if (options.list) console.log(harnessNames().join("\n"));
  else if (options.input !== undefined)
    process.exitCode = (await reproduce(options.names[0] ?? "", options.input)) ? 0 : 1;
  else process.exitCode = (await fuzz(options)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError || (error instanceof TypeError && "code" in error))) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
