import { literalText, splitCommandLine } from "../base/shell-words.js";
import { decodeName, encodeName, MAX_PATH_LENGTH } from "../files/path.js";

/** Bytes of a command line: many paths, each of which may have 4 KiB. */
const MAX_COMMAND_LENGTH = 64 * 1024;

/** The command that a client's `scp` gives to the one of the server. */
export interface SCPCommand {
  /** `sink` (`-t`) takes files, `source` (`-f`) gives them. */
  readonly role: "sink" | "source";
  /** `-r`: directories, too. */
  readonly recursive: boolean;
  /** `-p`: keep times and permissions as they are. */
  readonly preserve: boolean;
  /** `-d`: the target has to be a directory. */
  readonly targetIsDirectory: boolean;
  /** The target of a sink. Of a source, patterns as shells have them: a backslash takes the meaning of what follows. */
  readonly paths: readonly string[];
}

/**
 * Reads the command line of an `exec` request, as a shell would.
 *
 * @returns `undefined` for anything but an scp command, and for one that only a shell could run
 */
export function parseSCPCommand(command: Buffer): SCPCommand | undefined {
  if (command.length > MAX_COMMAND_LENGTH) return undefined;
  const [program, ...words] = splitCommandLine(decodeName(command)) ?? [];
  if (program === undefined || !/^(.*\/)?scp$/s.test(literalText(program))) return undefined;
  const { flags, rest } = splitFlags(words);
  if (!/^[tfrpdvq]*$/.test(flags)) return undefined;
  if (flags.includes("t") === flags.includes("f")) return undefined;
  const role = flags.includes("t") ? "sink" : "source";
  const patterns = rest.map(replaceHome);
  const paths = role === "sink" ? patterns.map(literalText) : patterns;
  if (paths.length === 0 || paths.some(isTooLong)) return undefined;
  return {
    role,
    recursive: flags.includes("r"),
    preserve: flags.includes("p"),
    targetIsDirectory: flags.includes("d"),
    paths,
  };
}

/** The letters of all options in front of the paths. */
function splitFlags(words: readonly string[]): { flags: string; rest: readonly string[] } {
  let flags = "";
  for (const [index, word] of words.entries()) {
    const text = literalText(word);
    if (text === "--") return { flags, rest: words.slice(index + 1) };
    if (!text.startsWith("-") || text === "-") return { flags, rest: words.slice(index) };
    flags += text.slice(1);
  }
  return { flags, rest: [] };
}

/** The home of everybody is the start directory, which relative paths start at. */
function replaceHome(pattern: string): string {
  return /^~(\/|$)/.test(pattern) ? `.${pattern.slice(1)}` : pattern;
}

function isTooLong(path: string): boolean {
  return encodeName(literalText(path)).length > MAX_PATH_LENGTH;
}
