/** One option of a line: a name alone, or a name with a value. */
export interface WrittenOption {
  /** In lower case: names are the same in either. */
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * The index at which the first field of a line ends: at white space outside quotes.
 *
 * @throws {Error} when a quote is not closed
 */
export function endOfField(line: string): number {
  let quoted = false;
  let at = 0;
  for (; at < line.length; at++) {
    const character = line[at];
    if (!quoted && (character === " " || character === "\t")) break;
    if (character === "\\" && line[at + 1] === '"') at++;
    else if (character === '"') quoted = !quoted;
  }
  if (quoted) throw new Error("a quote is not closed");
  return at;
}

/** A name, and behind `=` a value in quotes, in which `\"` is a quote and all else stands for itself. */
const OPTION = /([A-Za-z0-9-]+)(?:="((?:\\"|\\(?!")|[^"\\])*)")?(?=,|$)/y;

/**
 * Reads options with commas between them, as a line of authorized_keys begins with (sshd(8)). As in sshd, there may be
 * commas without an option.
 *
 * @throws {Error} when the list is malformed
 */
export function parseOptionList(text: string): readonly WrittenOption[] {
  const options: WrittenOption[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ",") continue;
    OPTION.lastIndex = at;
    const [whole = "", name, value] = OPTION.exec(text) ?? [];
    if (name === undefined) throw new Error("the options are malformed");
    options.push({ name: name.toLowerCase(), value: value?.replaceAll('\\"', '"') });
    at += whole.length;
  }
  return options;
}
