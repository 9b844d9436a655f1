/** The number of letters in which two names may differ and still be taken for the same, misspelled. */
const MISSPELLED_LETTERS = 2;

/** Letters that two names must share in one run to be related. */
const SHORTEST_RUN = 3;

/** Whether nothing but case, underscores and hyphens makes two names different. */
export function sameButForForm(one: string, other: string): boolean {
  return bareForm(one) === bareForm(other);
}

/** The one of `names` that `name` is probably meant to be: another form of it, or at most two letters, and half of them, from it. */
export function nearestName<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
  const bare = bareForm(name);
  let nearest: Name | undefined;
  let least = MISSPELLED_LETTERS + 1;
  for (const candidate of names) {
    const letters = lettersBetween(bare, bareForm(candidate));
    // Two short names that differ in most of their letters are different words: `dir` and `uid`.
    if (letters < least && letters * 2 <= Math.max(name.length, candidate.length)) {
      nearest = candidate;
      least = letters;
    }
  }
  return nearest;
}

/**
 * The one of `names` that has the longest run of letters in common with `name`, behind the first word of each (`check`,
 * `get`); `undefined` where none has as many as three. Of two with the same run it is the shorter one.
 */
export function relatedName<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
  const rest = withoutFirstWord(name);
  let related: Name | undefined;
  let longest = SHORTEST_RUN - 1;
  for (const candidate of names) {
    const run = commonRun(rest, withoutFirstWord(candidate));
    const isShorter = run === longest && related !== undefined && candidate.length < related.length;
    if (run > longest || isShorter) {
      related = candidate;
      longest = run;
    }
  }
  return related;
}

function withoutFirstWord(name: string): string {
  return bareForm(name.replace(/^[a-z]+/, ""));
}

/** The length of the longest text that both have in them. */
function commonRun(one: string, other: string): number {
  let longest = 0;
  let previous: number[] = [];
  for (const letter of one) {
    const current = Array.from(other, (same, column) => (same === letter ? (previous[column - 1] ?? 0) + 1 : 0));
    longest = Math.max(longest, ...current);
    previous = current;
  }
  return longest;
}

function bareForm(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

/** The letters to add, remove or replace (Levenshtein distance); any number above two means "more than two". */
function lettersBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > MISSPELLED_LETTERS) return MISSPELLED_LETTERS + 1;
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column++) {
      const replaced = (previous[column] ?? 0) + (letter === other[column] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
