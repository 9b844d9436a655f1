import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { Bench } from "./bench.js";
import { type BenchCase, benchCases } from "./cases.js";
import { compilePrograms } from "./compile.js";
import { type BenchOptions, helpText, parseOptions } from "./options.js";
import { cleanUpOnExit } from "./resources.js";
import { scaleCases } from "./scale-cases.js";
import { renderTable } from "./table.js";

async function main(options: BenchOptions): Promise<void> {
  const { only, scale, jsonFile } = options;
  const all: readonly BenchCase[] = scale ? scaleCases : benchCases;
  const cases = all.filter(({ name }) => only.length === 0 || only.some((text) => name.includes(text)));
  if (cases.length === 0)
    throw new Error(`no case is called so; there are:\n${all.map(({ name }) => name).join("\n")}`);

  const bench = new Bench(options, compilePrograms());
  await bench.run(cases);

  const contenders = [
    ...bench.contenders,
    `node ${process.version}, OpenSSL ${process.versions.openssl}`,
    `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), Linux ${release()}`,
  ];
  process.stdout.write(`\n${contenders.join("\n")}\n\n${renderTable(cases, bench.results)}\n`);
  if (jsonFile !== undefined) {
    const document = { date: new Date().toISOString(), options, contenders, results: bench.results };
    writeFileSync(jsonFile, `${JSON.stringify(document, null, 2)}\n`);
  }
}

cleanUpOnExit();
try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") process.stdout.write(helpText);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
// Servers still running after an error would keep the process alive.
process.exit();
