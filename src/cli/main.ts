#!/usr/bin/env node
import { VERSION } from "../base/version.js";
import { type CommandLine, parseCommandLine } from "./command-line.js";
import { describeError, UsageError } from "./errors.js";
import { HELP } from "./help.js";

/** Each command loads only what it needs: an sshd starts sftp-server for every session. */
async function run(commandLine: CommandLine): Promise<void> {
  switch (commandLine.command) {
    case "help":
      process.stdout.write(HELP[commandLine.topic]);
      return;
    case "version":
      process.stdout.write(`${VERSION}\n`);
      return;
    case "serve": {
      const { serve } = await import("./serve/serve.js");
      return serve(commandLine.options);
    }
    case "sftp-server": {
      const { sftpServer } = await import("./sftp-server/sftp-server.js");
      return sftpServer(commandLine.options);
    }
    case "list-requests": {
      const { requestNames } = await import("../sftp/index.js");
      process.stdout.write(requestNames.map((name) => `${name}\n`).join(""));
      return;
    }
    case "hash-password": {
      const { printPasswordHash } = await import("./print-password-hash.js");
      return printPasswordHash();
    }
  }
}

async function main(): Promise<void> {
  try {
    await run(parseCommandLine(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`spindlex: ${describeError(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

void main();
