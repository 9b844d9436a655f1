import { UsageError } from "./errors.js";
import { HELP, type HelpTopic } from "./help.js";
import { readArguments } from "./option-values.js";
import { parseServe, type ServeOptions } from "./serve/serve-options.js";
import { parseSFTPServer, type SFTPServerCommandOptions } from "./sftp-server/sftp-server-options.js";

export type CommandLine =
  | { readonly command: "help"; readonly topic: HelpTopic }
  | { readonly command: "version" | "hash-password" | "list-requests" }
  | { readonly command: "serve"; readonly options: ServeOptions }
  | { readonly command: "sftp-server"; readonly options: SFTPServerCommandOptions };

/**
 * Reads the arguments after `spindlex`.
 *
 * @throws {UsageError} for an unknown command or option, or a value that cannot be used
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [command, ...rest] = args;
  switch (command) {
    case "serve": {
      const options = parseServe(rest);
      return options === "help" ? help(command) : { command, options };
    }
    case "sftp-server": {
      const options = parseSFTPServer(rest);
      if (options === "requests") return { command: "list-requests" };
      return options === "help" ? help(command) : { command, options };
    }
    case "hash-password":
      return wantsHelp(command, rest) ? help(command) : { command };
    case "help":
    case "--help":
    case "-h":
      return help(rest[0]);
    case "--version":
      return { command: "version" };
    case undefined:
      throw new UsageError("a command is missing (see spindlex --help)");
    default:
      throw new UsageError(`unknown command '${command}' (see spindlex --help)`);
  }
}

function help(name: string | undefined): CommandLine {
  const topic = (Object.keys(HELP) as HelpTopic[]).find((known) => known === name) ?? "general";
  return { command: "help", topic };
}

/** Whether help is asked for, at a command that has no other options. */
function wantsHelp(command: string, args: readonly string[]): boolean {
  const options = { help: { type: "boolean", short: "h", default: false } } as const;
  return readArguments(command, { args: [...args], options }).values.help;
}
