/** Matches one character, or any number of them. */
type Token = "any" | ((character: string) => boolean);

/**
 * A pattern for one name, as shells have it (POSIX.1-2017, Shell Command Language §2.13): `*`, `?`, `[a-z]`, `[!a-z]`; a
 * backslash takes the meaning of what follows. A dot at the start of a name is only matched by a dot.
 */
export class NamePattern {
  /** The one name that matches, where nothing in the pattern has a meaning. */
  readonly literal: string | undefined;
  readonly #tokens: readonly Token[];
  readonly #matchesHidden: boolean;

  constructor(pattern: string) {
    const characters = [...pattern];
    const tokens: Token[] = [];
    let literal: string | undefined = "";
    for (let offset = 0; offset < characters.length; offset++) {
      const character = characters[offset] ?? "";
      const set = character === "[" ? readSet(characters, offset + 1) : undefined;
      if (set !== undefined) {
        tokens.push(set.matches);
        offset = set.end;
      } else if (character === "*") {
        if (tokens.at(-1) !== "any") tokens.push("any");
      } else if (character === "?") {
        tokens.push(() => true);
      } else {
        const expected = character === "\\" ? (characters[++offset] ?? character) : character;
        tokens.push((candidate) => candidate === expected);
        if (literal !== undefined) literal += expected;
        continue;
      }
      literal = undefined;
    }
    this.literal = literal;
    this.#tokens = tokens;
    this.#matchesHidden = /^\\?\./.test(pattern);
  }

  matches(name: string): boolean {
    if (name.startsWith(".") && !this.#matchesHidden) return false;
    const tokens = this.#tokens;
    const characters = [...name];
    // After a mismatch only the last `*` can take more: what those before it took makes no difference.
    let retry: { token: number; character: number } | undefined;
    let token = 0;
    let character = 0;
    while (character < characters.length || token < tokens.length) {
      const expected = tokens[token];
      const candidate = characters[character];
      if (expected === "any") {
        retry = { token: token + 1, character };
        token++;
      } else if (candidate !== undefined && expected?.(candidate)) {
        token++;
        character++;
      } else {
        if (retry === undefined || retry.character === characters.length) return false;
        retry.character++;
        ({ token, character } = retry);
      }
    }
    return true;
  }
}

interface CharacterSet {
  readonly matches: (character: string) => boolean;
  /** The index of the closing bracket. */
  readonly end: number;
}

/** @param start behind the opening bracket */
function readSet(characters: readonly string[], start: number): CharacterSet | undefined {
  const isNegated = characters[start] === "!" || characters[start] === "^";
  const first = isNegated ? start + 1 : start;
  const ranges: [string, string][] = [];
  for (let offset = first; offset < characters.length; offset++) {
    if (characters[offset] === "]" && offset > first) {
      const matches = (character: string) =>
        ranges.some(([low, high]) => isBetween(low, character, high)) !== isNegated;
      return { matches, end: offset };
    }
    if (characters[offset] === "\\") offset++;
    const low = characters[offset];
    if (low === undefined) return undefined;
    let high = low;
    const last = characters[offset + 2];
    if (characters[offset + 1] === "-" && last !== undefined && last !== "]") {
      offset += last === "\\" ? 3 : 2;
      high = characters[offset] ?? low;
    }
    ranges.push([low, high]);
  }
  return undefined;
}

function isBetween(low: string, character: string, high: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= (low.codePointAt(0) ?? 0) && code <= (high.codePointAt(0) ?? 0);
}
