import { literalText, splitCommandLine } from "../base/shell-words.js";
import { decodeName, encodeName, MAX_PATH_LENGTH } from "../files/path.js";

/** Bytes of a command line: many paths, each of which may have 4 KiB. */
const MAX_COMMAND_LENGTH = 64 * 1024;

/** rclone's question about the kind of the shell: a Unix shell knows neither variable, and only cmd.exe knows the second. */
const WHICH_SHELL = "echo $" + "{ShellId}%ComSpec%";

/** What Cyberduck has awk take from the lines of `df`. */
const COLUMNS_OF_AWK = "awk '{print $3, $4}'";

const HASH_PROGRAMS = { md5sum: "md5", sha1sum: "sha1", sha256sum: "sha256" } as const;

/** A program such as `md5sum` by which clients ask for hashes. */
export type HashProgram = keyof typeof HASH_PROGRAMS;

/** The hashes of files, or of what is read. */
export interface HashCommand {
  /** The program whose output the answer looks like. */
  readonly program: HashProgram;
  /** The hash, by its name in `node:crypto`. */
  readonly algorithm: (typeof HASH_PROGRAMS)[HashProgram];
  /** Empty for what the command reads. */
  readonly paths: readonly string[];
  /** What `echo` writes into a pipe to it; the client's data where absent. */
  readonly input?: string;
}

/** What `df` tells: in units of 1024 bytes, or with `-h` in those that people read. */
export type DiskFreeColumns = "all" | "all for people" | "used and available";

/** A command that clients run to learn what a server can do, or what a file holds. */
export type ProbeCommand =
  | HashCommand
  | { readonly program: "df"; readonly paths: readonly string[]; readonly columns: DiskFreeColumns }
  | { readonly program: "pwd" }
  | { readonly program: "echo"; readonly text: string };

/**
 * Reads the command line of an `exec` request, as a shell would: `md5sum`, `sha1sum` or `sha256sum` with paths, with none, or
 * behind a pipe from `echo`; `df` with or without `-h`, `-k` and `-P`; `pwd`; `echo`.
 *
 * @returns `undefined` for any other command, and for one that only a shell could run
 */
export function parseProbeCommand(command: Buffer): ProbeCommand | undefined {
  if (command.length > MAX_COMMAND_LENGTH) return undefined;
  const line = decodeName(command);
  if (line === WHICH_SHELL) return { program: "echo", text: "%ComSpec%\n" };
  const pipe = line.lastIndexOf("|");
  const before = pipe < 0 ? undefined : parseWords(line.slice(0, pipe));
  return before === undefined ? parseWords(line) : parsePipe(before, line.slice(pipe + 1).trim());
}

function parsePipe(first: ProbeCommand, second: string): ProbeCommand | undefined {
  if (first.program === "df") {
    const isKnown = second === COLUMNS_OF_AWK && first.columns === "all";
    return isKnown ? { ...first, columns: "used and available" } : undefined;
  }
  const last = first.program === "echo" ? parseWords(second) : undefined;
  if (first.program !== "echo" || last === undefined || !("algorithm" in last) || last.paths.length > 0)
    return undefined;
  return { ...last, input: first.text };
}

function parseWords(line: string): ProbeCommand | undefined {
  const words = splitCommandLine(line);
  const [program, ...rest] = words?.map(expandHome) ?? [];
  if (program === undefined) return undefined;
  if (Object.hasOwn(HASH_PROGRAMS, program)) return parseHash(program as HashProgram, rest);
  switch (program) {
    case "df":
      return parseDiskFree(rest);
    case "echo":
      return parseEcho(rest);
    case "pwd":
      return rest.length === 0 ? { program } : undefined;
    default:
      return undefined;
  }
}

function parseHash(program: HashProgram, words: readonly (string | undefined)[]): ProbeCommand | undefined {
  const [only, ...others] = words;
  const algorithm = HASH_PROGRAMS[program];
  if (only === "-" && others.length === 0) return { program, algorithm, paths: [] };
  const paths = pathsOf(words);
  return paths && { program, algorithm, paths };
}

function parseDiskFree(words: readonly (string | undefined)[]): ProbeCommand | undefined {
  const found = words.findIndex((word) => word === undefined || !/^-[hkP]+$/.test(word));
  const count = found < 0 ? words.length : found;
  const paths = pathsOf(words.slice(count));
  // The last one counts.
  const unit = words.slice(0, count).join("").replaceAll(/[^hk]/g, "").at(-1);
  return paths && { program: "df", paths, columns: unit === "h" ? "all for people" : "all" };
}

/** Shells do not agree on what a backslash means to `echo`, nor on its options. */
function parseEcho(words: readonly (string | undefined)[]): ProbeCommand | undefined {
  const isClear = (word: string | undefined): word is string => word !== undefined && !word.includes("\\");
  if (!words.every(isClear) || words[0]?.startsWith("-")) return undefined;
  return { program: "echo", text: `${words.join(" ")}\n` };
}

/** @returns `undefined` where a word is not a path */
function pathsOf(words: readonly (string | undefined)[]): readonly string[] | undefined {
  const paths = words[0] === "--" ? words.slice(1) : words;
  const isPath = (word: string | undefined): word is string =>
    word !== undefined &&
    word !== "" &&
    (words !== paths || !word.startsWith("-")) &&
    encodeName(word).length <= MAX_PATH_LENGTH;
  return paths.every(isPath) ? paths : undefined;
}

/**
 * The home of everybody is the start directory, which relative paths start at.
 *
 * @param pattern as shells have them: a backslash takes the meaning of what follows
 * @returns `undefined` for the home of a user, and where a shell would look for names that match
 */
function expandHome(pattern: string): string | undefined {
  if (/[*?[]/.test(pattern.replace(/\\./gsu, ""))) return undefined;
  if (!pattern.startsWith("~")) return literalText(pattern);
  return /^~(\/|$)/.test(pattern) ? literalText(`.${pattern.slice(1)}`) : undefined;
}
