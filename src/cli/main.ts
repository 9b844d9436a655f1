#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { parseCommandLine } from "./command-line.js";
import { describeError, UsageError } from "./errors.js";
import { GENERAL_HELP, SERVE_HELP } from "./help.js";
import { serve } from "./serve.js";

async function main(args: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(args);
  switch (commandLine.command) {
    case "help":
      process.stdout.write(commandLine.topic === "serve" ? SERVE_HELP : GENERAL_HELP);
      return;
    case "version":
      process.stdout.write(`${packageVersion()}\n`);
      return;
    case "serve":
      await serve(commandLine.options);
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`spindlex: ${describeError(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
