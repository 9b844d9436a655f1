// Clients send command lines for a POSIX shell (POSIX.1-2017, Shell Command Language §2.2 and §2.13). No shell runs
// here: words, quotes and patterns of names are understood, whatever else a shell would act on is refused.

/** Characters that have a meaning in a pattern, and lose it behind a backslash. */
const PATTERN_CHARACTERS = "\\*?[]!^-~";

/** Characters that a shell acts on wherever they are not quoted. */
const SHELL_CHARACTERS = ";&|<>()$`\n\0";

/** Characters that lose their meaning behind a backslash in double quotes. */
const ESCAPABLE_IN_QUOTES = '$`"\\';

/**
 * The words of a command line as patterns: quoted characters that would mean something in a pattern have a backslash in
 * front.
 *
 * @returns `undefined` if the line needs a shell, or a quote does not end
 */
export function splitCommandLine(line: string): string[] | undefined {
  const words = readCommandLine(line);
  return typeof words === "string" ? undefined : words;
}

/** Why a command line has no words. */
export type CommandLineFault = "needs a shell" | "has a quote that does not end";

/** The same, with the fault of a line that has none. */
export function readCommandLine(line: string): string[] | CommandLineFault {
  const words: string[] = [];
  let word: string | undefined;
  for (let offset = 0; offset < line.length; offset++) {
    const character = line.charAt(offset);
    if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const quoted = character === "'" ? readSingleQuoted(line, offset + 1) : readDoubleQuoted(line, offset + 1);
      if (typeof quoted === "string") return quoted;
      word = (word ?? "") + escapePattern(quoted.text);
      offset = quoted.end;
    } else if (character === "\\") {
      const escaped = line.charAt(++offset);
      if (escaped === "" || escaped === "\n" || escaped === "\0") return "needs a shell";
      word = (word ?? "") + escapePattern(escaped);
    } else {
      const isComment = character === "#" && word === undefined;
      if (isComment || SHELL_CHARACTERS.includes(character)) return "needs a shell";
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The text that a pattern matches if all its characters stand for themselves. */
export function literalText(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, "$1");
}

function escapePattern(text: string): string {
  let escaped = "";
  for (const character of text) escaped += PATTERN_CHARACTERS.includes(character) ? `\\${character}` : character;
  return escaped;
}

interface Quoted {
  readonly text: string;
  /** The index of the closing quote. */
  readonly end: number;
}

function readSingleQuoted(line: string, start: number): Quoted | CommandLineFault {
  const end = line.indexOf("'", start);
  if (end === -1) return "has a quote that does not end";
  const text = line.slice(start, end);
  return text.includes("\0") ? "needs a shell" : { text, end };
}

function readDoubleQuoted(line: string, start: number): Quoted | CommandLineFault {
  let text = "";
  for (let offset = start; offset < line.length; offset++) {
    const character = line.charAt(offset);
    if (character === '"') return { text, end: offset };
    if (character === "$" || character === "`" || character === "\0") return "needs a shell";
    const next = line.charAt(offset + 1);
    if (character === "\\" && next === "\n") return "needs a shell";
    if (character === "\\" && next !== "" && ESCAPABLE_IN_QUOTES.includes(next)) {
      text += next;
      offset++;
    } else {
      text += character;
    }
  }
  return "has a quote that does not end";
}
