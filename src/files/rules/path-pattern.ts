import { ConfigurationError } from "../../base/configuration-error.js";
import { FileError } from "../errors.js";
import { CLASS_NAMES, NamePattern } from "../name-pattern.js";
import { encodeName, isDots, MAX_PATH_LENGTH } from "../path.js";

/** Any number of names, none among them. */
const ANY_NAMES: unique symbol = Symbol("**");

type Part = NamePattern | typeof ANY_NAMES;

/** Names that a pattern may have. */
const MAX_PARTS = 128;

/** Characters of one of them. A name has 255 bytes on most disks, and to match one takes as long as its pattern is long. */
const MAX_PART_LENGTH = 512;

/**
 * A pattern for canonical paths: between slashes patterns as shells have them for names, and `**` for any number of names,
 * none among them, as bash has it with `globstar`. So `/docs/**` is `/docs` and all below it. Unlike in a shell, `*` and
 * `?` match a dot at the start of a name, as with bash's `dotglob`: a rule for all files is for hidden ones, too.
 */
export class PathPattern {
  readonly text: string;
  /** The names that all paths that match start with. */
  readonly literals: readonly string[];
  readonly #parts: readonly Part[];
  /** What the last name has to match; `undefined` where `**` is the last, or there is none but `literals`. */
  readonly #last: NamePattern | undefined;
  /** A text that all paths that match have in them behind `literals`: most that do not match do not have it. */
  readonly #needle: string;

  /**
   * @param option the name of the option that the text is of
   * @param below whether all that lies below the paths matches, too
   * @throws {ConfigurationError} for what shells understand in another way, or not at all
   */
  constructor(option: string, text: string, below: "with all below" | "as it is") {
    this.text = text;
    const parts = readParts(option, text);
    if (below === "with all below" && parts.at(-1) !== ANY_NAMES) parts.push(ANY_NAMES);
    this.#parts = parts;
    const literals = parts.map((part) => (part === ANY_NAMES ? undefined : part.literal));
    const end = literals.indexOf(undefined);
    this.literals = (end === -1 ? literals : literals.slice(0, end)).map((literal) => literal ?? "");
    const last = parts.at(-1);
    this.#last = last instanceof NamePattern && end !== -1 ? last : undefined;
    const needles = parts.slice(this.literals.length).map((part) => (part === ANY_NAMES ? "" : part.needle));
    this.#needle = needles.reduce((longest, needle) => (needle.length > longest.length ? needle : longest), "");
  }

  /** What the last name of each path that matches ends with, as far as that is known. */
  get suffix(): string {
    return this.#last?.suffix ?? "";
  }

  /**
   * Whether a path matches that starts with `literals`.
   *
   * @param path canonical
   * @param names of the path
   * @param lastName the last of them; empty for the root
   */
  matchesRest(path: string, names: readonly string[], lastName: string): boolean {
    if (this.#last === undefined ? !path.includes(this.#needle) : !this.#last.matches(lastName)) return false;
    const parts = this.#parts;
    let part = this.literals.length;
    let name = part;
    // After a mismatch only the last `**` can take more.
    let retryPart = -1;
    let retryName = 0;
    while (name < names.length || part < parts.length) {
      const expected = parts[part];
      const candidate = names[name];
      if (expected === ANY_NAMES) {
        if (part === parts.length - 1) return true;
        retryPart = ++part;
        retryName = name;
      } else if (candidate !== undefined && expected?.matches(candidate)) {
        part++;
        name++;
      } else {
        if (retryPart === -1 || retryName === names.length) return false;
        name = ++retryName;
        part = retryPart;
      }
    }
    return true;
  }

  /** Whether each path that `other` matches is matched by this one, too, as far as that is easily seen. */
  covers(other: PathPattern): boolean {
    return coversParts(this.#parts, other.#parts);
  }

  /**
   * What is still to be matched behind the names of a path, by what lies below it: positions in the pattern, the first
   * among them; none where nothing below it can match.
   */
  behind(names: readonly string[]): readonly number[] {
    let positions = this.#reachable([0]);
    for (const name of names) {
      const next: number[] = [];
      for (const position of positions) {
        const part = this.#parts[position];
        if (part === ANY_NAMES) next.push(position);
        else if (part?.matches(name)) next.push(position + 1);
      }
      if (next.length === 0) return [];
      positions = this.#reachable(next);
    }
    return positions.filter((position) => position < this.#parts.length);
  }

  /** Whether all that lies below is matched from one of these positions on. */
  takesAll(positions: readonly number[]): boolean {
    return positions.some((position) => position === this.#parts.length - 1 && this.#parts[position] === ANY_NAMES);
  }

  /** Whether the same is still to be matched as by another pattern from positions there. */
  sameBehind(positions: readonly number[], other: PathPattern, otherPositions: readonly number[]): boolean {
    if (this.takesAll(positions) && other.takesAll(otherPositions)) return true;
    if (positions.length !== otherPositions.length) return false;
    return positions.every((position, index) => {
      const rest = this.#parts.slice(position);
      const otherRest = other.#parts.slice(otherPositions[index]);
      return coversParts(rest, otherRest) && coversParts(otherRest, rest);
    });
  }

  /** With those that `**` leads on to, in order. */
  #reachable(positions: readonly number[]): readonly number[] {
    const reached = new Set<number>();
    for (let position of positions) {
      while (!reached.has(position)) {
        reached.add(position);
        if (this.#parts[position] === ANY_NAMES) position++;
      }
    }
    return [...reached].sort((one, other) => one - other);
  }
}

function coversParts(parts: readonly Part[], others: readonly Part[]): boolean {
  const last = parts.at(-1);
  // Most patterns do not cover each other's last name.
  if (last instanceof NamePattern && !coversName(last, others.at(-1))) return false;
  /** For each number of parts that are left, whether they cover what is left of the others. */
  let covered = parts.map((_, index) => parts.slice(index).every((part) => part === ANY_NAMES)).concat(true);
  for (let other = others.length - 1; other >= 0; other--) {
    const next = covered;
    covered = new Array<boolean>(parts.length + 1).fill(false);
    for (let part = parts.length - 1; part >= 0; part--) {
      const expected = parts[part];
      covered[part] =
        expected === ANY_NAMES
          ? next[part] === true || covered[part + 1] === true
          : next[part + 1] === true && coversName(expected, others[other]);
    }
  }
  return covered[0] === true;
}

function coversName(part: Part | undefined, other: Part | undefined): boolean {
  return part instanceof NamePattern && other instanceof NamePattern && part.covers(other);
}

function readParts(option: string, text: string): Part[] {
  const problem = problemOf(text);
  if (problem !== undefined) throw new ConfigurationError(option, `${JSON.stringify(text)} ${problem}`);
  const parts: Part[] = [];
  for (const name of text === "/" ? [] : text.slice(1).split("/")) {
    if (name !== "**") parts.push(new NamePattern(name, "are matched"));
    else if (parts.at(-1) !== ANY_NAMES) parts.push(ANY_NAMES);
  }
  return parts;
}

/** What a shell would understand in another way, or not at all: a rule that never matches forbids nothing. */
function problemOf(text: string): string | undefined {
  if (!text.startsWith("/"))
    return `must begin with a slash: ${JSON.stringify(`/${text}`)}, or "/**/…" for any directory`;
  if (text.includes("\0")) return "must not hold NUL";
  if (!isEncodable(text)) return "has half a character";
  if (text.length > MAX_PATH_LENGTH) return "is too long";
  if (text === "/") return undefined;
  const names = text.slice(1).split("/");
  if (names.length > MAX_PARTS) return `must not have more than ${MAX_PARTS} names`;
  if (names.at(-1) === "") {
    return `must not end in a slash: a directory has none, and ${JSON.stringify(`${text}**`)} is all that lies in it`;
  }
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The first member may be a closing bracket. */
const SET = /\[(?:[!^]|(?![!^]))(?:\[:[a-z]*:\]|[\s\S])(?:\[:[a-z]*:\]|[^\]])*\]/g;

function nameProblem(name: string): string | undefined {
  if (name === "") return "must not have two slashes side by side";
  if (isDots(name)) return "must not have . or .. in it: paths that are asked about have none";
  if (name.length > MAX_PART_LENGTH) return `must not have more than ${MAX_PART_LENGTH} characters in a name`;
  if (name === "**") return undefined;
  // Without what has no meaning of its own: escaped characters and sets.
  const bare = name.replaceAll(/\\./gsu, "_");
  const open = bare.replaceAll(SET, "_");
  if (bare.endsWith("\\")) return "must not end a name in a backslash";
  if (open.includes("**")) {
    return 'must have ** alone between slashes: "/a/**" is /a and all that lies in it, "/a*" is names that begin with a';
  }
  if (new NamePattern(name).hasOpenBracket) return "has a [ that is not closed: \\[ stands for itself";
  if (/\{[^}]*[,.][^}]*\}/.test(open)) return "must not have {…,…}: write a rule for each, or \\{";
  if (/[?*+@!]\(/.test(open)) return "must not have ?(…), *(…), +(…), @(…) or !(…): \\( stands for itself";
  return setProblem(bare) ?? rangeProblem(name);
}

/** @param name without escaped characters */
function setProblem(name: string): string | undefined {
  for (const [, equivalence] of name.matchAll(/\[([.=])[^\]]*\1\]/g)) {
    return `must not have [${equivalence}…${equivalence}] in a set`;
  }
  for (const [, className = ""] of name.matchAll(/\[:([^\]]*):\]/g)) {
    if (!CLASS_NAMES.includes(className))
      return `has no known class [:${className}:]; there are ${CLASS_NAMES.join(", ")}`;
  }
  return undefined;
}

function rangeProblem(name: string): string | undefined {
  for (const [, members = ""] of name.matchAll(/(?<!\\)\[[!^]?(\]?[^\]\\]*)\]/g)) {
    for (const [range, low = "", high = ""] of members.replaceAll(/\[:[a-z]+:/g, "").matchAll(/(.)-(.)/gsu)) {
      if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0)) return `has the range ${range}, which is empty`;
    }
  }
  return undefined;
}

function isEncodable(text: string): boolean {
  try {
    encodeName(text);
    return true;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}
