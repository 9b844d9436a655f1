/** Matches any number of characters, a character itself, or the one character that a set has. */
type Token = typeof ANY | string | ((character: string) => boolean);

const ANY = Symbol("*");

/** How a pattern that does not begin with a dot treats names that do. */
export type HiddenNames = "are left out" | "are matched";

/** POSIX.1-2017 §9.3.5, character classes. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /^[\p{L}\p{N}]$/u,
  alpha: /^\p{L}$/u,
  blank: /^[ \t]$/,
  cntrl: /^\p{Cc}$/u,
  digit: /^[0-9]$/,
  graph: /^[^\s\p{C}]$/u,
  lower: /^\p{Ll}$/u,
  print: /^[^\p{C}\p{Zl}\p{Zp}]$/u,
  punct: /^[\p{P}\p{S}]$/u,
  space: /^\s$/u,
  upper: /^\p{Lu}$/u,
  xdigit: /^[0-9A-Fa-f]$/,
};

const NEVER = /(?!)/;

/** Characters of a class with its brackets. */
const MAX_CLASS_LENGTH = 32;

/** Names of classes that `[[:name:]]` may have. */
export const CLASS_NAMES: readonly string[] = Object.keys(CLASSES);

/**
 * A pattern for one name, as shells have it (POSIX.1-2017, Shell Command Language §2.13): `*`, `?`, `[a-z]`, `[!a-z]`,
 * `[[:digit:]]`; a backslash takes the meaning of what follows.
 */
export class NamePattern {
  /** The one name that matches, where nothing in the pattern has a meaning. */
  readonly literal: string | undefined;
  /** Whether a bracket that is not closed stands for itself. */
  readonly hasOpenBracket: boolean;
  readonly #tokens: readonly Token[];
  readonly #matchesHidden: boolean;
  /** What each name that matches ends with. */
  readonly suffix: string;
  readonly #prefix: string;
  /** Nothing but one star stands between the two. */
  readonly #isOneStar: boolean;

  /** @param hiddenNames "are left out": a dot at the start of a name is only matched by a dot, as where shells list names */
  constructor(pattern: string, hiddenNames: HiddenNames = "are left out") {
    const { tokens, hasOpenBracket } = readTokens([...pattern]);
    this.hasOpenBracket = hasOpenBracket;
    this.#tokens = tokens;
    this.#matchesHidden = hiddenNames === "are matched" || /^\\?\./.test(pattern);
    const first = tokens.findIndex((token) => typeof token !== "string");
    const last = tokens.findLastIndex((token) => typeof token !== "string");
    this.literal = first === -1 ? tokens.join("") : undefined;
    this.#prefix = tokens.slice(0, Math.max(0, first)).join("");
    this.suffix = tokens.slice(last + 1).join("");
    // A byte that is not UTF-8 could be the second half of a character of the name.
    this.#isOneStar = first === last && tokens[first] === ANY && !/^[\udc00-\udfff]/.test(this.suffix);
  }

  /** A text that each name that matches has in it; empty where none is known. */
  get needle(): string {
    if (this.literal !== undefined) return this.literal;
    return this.#prefix.length > this.suffix.length ? this.#prefix : this.suffix;
  }

  matches(name: string): boolean {
    if (this.literal !== undefined) return name === this.literal;
    if (!this.#matchesHidden && name.startsWith(".")) return false;
    if (!name.startsWith(this.#prefix) || !name.endsWith(this.suffix)) return false;
    if (this.#isOneStar) return name.length >= this.#prefix.length + this.suffix.length;
    return matchTokens(this.#tokens, [...name]);
  }

  /** Whether each name that `other` matches is matched by this one, too, as far as that is easily seen. */
  covers(other: NamePattern): boolean {
    if (other.literal !== undefined) return this.matches(other.literal);
    if (!this.#matchesHidden && other.#matchesHidden) return false;
    if (sameTokens(this.#tokens, other.#tokens)) return true;
    const [prefix, suffix] = [this.#prefix, this.suffix];
    const isLong = other.#prefix.length + other.suffix.length >= prefix.length + suffix.length;
    return this.#isOneStar && isLong && other.#prefix.startsWith(prefix) && other.suffix.endsWith(suffix);
  }
}

/** What has no meaning, such as a bracket that is not closed, stands for itself, as in shells. */
function readTokens(characters: readonly string[]) {
  const tokens: Token[] = [];
  let hasOpenBracket = false;
  for (let offset = 0; offset < characters.length; offset++) {
    const character = characters[offset] ?? "";
    const set = character === "[" ? readSet(characters, offset + 1) : undefined;
    if (set !== undefined) {
      tokens.push(set.matches);
      offset = set.end;
    } else if (character === "*") {
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else if (character === "?") {
      tokens.push(anyCharacter);
    } else {
      if (character === "[") hasOpenBracket = true;
      tokens.push(character === "\\" ? (characters[++offset] ?? character) : character);
    }
  }
  return { tokens, hasOpenBracket };
}

const anyCharacter = () => true;

function matchTokens(tokens: readonly Token[], characters: readonly string[]): boolean {
  // After a mismatch only the last `*` can take more: what those before it took makes no difference.
  let retry: { token: number; character: number } | undefined;
  let token = 0;
  let character = 0;
  while (character < characters.length || token < tokens.length) {
    const expected = tokens[token];
    const candidate = characters[character];
    if (expected === ANY) {
      retry = { token: token + 1, character };
      token++;
    } else if (candidate !== undefined && expected !== undefined && matchesOne(expected, candidate)) {
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

function matchesOne(token: Exclude<Token, typeof ANY>, character: string): boolean {
  return typeof token === "string" ? token === character : token(character);
}

/** Sets are only known to be the same where they are one object. */
function sameTokens(some: readonly Token[], others: readonly Token[]): boolean {
  return some.length === others.length && some.every((token, index) => token === others[index]);
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
  const members: ((character: string) => boolean)[] = [];
  for (let offset = first; offset < characters.length; offset++) {
    if (characters[offset] === "]" && offset > first) {
      const matches = (character: string) => members.some((has) => has(character)) !== isNegated;
      return { matches, end: offset };
    }
    const named = readClass(characters, offset);
    if (named !== undefined) {
      members.push((character) => named.expression.test(character));
      offset = named.end;
      continue;
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
    members.push((character) => isBetween(low, character, high));
  }
  return undefined;
}

/** `[:name:]` at `start`. One that nobody knows has no member. */
function readClass(characters: readonly string[], start: number) {
  if (characters[start] !== "[" || characters[start + 1] !== ":") return undefined;
  const text = characters.slice(start, start + MAX_CLASS_LENGTH).join("");
  const [whole, name = ""] = /^\[:([a-z]+):\]/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { expression: (Object.hasOwn(CLASSES, name) && CLASSES[name]) || NEVER, end: start + whole.length - 1 };
}

function isBetween(low: string, character: string, high: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= (low.codePointAt(0) ?? 0) && code <= (high.codePointAt(0) ?? 0);
}
