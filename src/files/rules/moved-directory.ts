import type { CompiledRule, Subject } from "./rule.js";

/** A rule that can match below a directory, and where its pattern stands there. */
interface Remaining {
  readonly rule: CompiledRule;
  readonly positions: readonly number[];
}

/**
 * Whether nothing that lies in a directory, now or ever, can get more allowed when the directory is moved. The answer is no
 * where that cannot be seen.
 *
 * @param from names of its path
 * @param to names of its path when it has been moved
 */
export function opensNothing(
  rules: readonly CompiledRule[],
  from: readonly string[],
  to: readonly string[],
  subject: Subject,
): boolean {
  const about = rules.filter((rule) => rule.isAbout(subject));
  const [before, after] = [remaining(about, from), remaining(about, to)];
  const isSameRules =
    before.length === after.length &&
    before.every(({ rule, positions }, index) => {
      const other = after[index];
      return other !== undefined && rule.pattern.sameBehind(positions, other.rule.pattern, other.positions);
    });
  if (isSameRules) return before.every(({ rule }, index) => isAsStrict(after[index], rule));
  // A path that is hidden now would be told as refused, if another rule is about it then, or none.
  if (before.some(({ rule }) => rule.hidden)) return hasRuleForAll(after) && after.every(({ rule }) => rule.hidden);
  if (!hasRuleForAll(before)) return after.every(({ rule }) => rule.allow.size === 0);
  // Wherever a path lies, at least what all of these rules allow is allowed now.
  return after.every((later) => before.every(({ rule }) => isAsStrict(later, rule)));
}

function hasRuleForAll(rules: readonly Remaining[]): boolean {
  return rules.some(({ rule, positions }) => rule.pattern.takesAll(positions));
}

/** In their order, up to the one that is about all that is left. */
function remaining(rules: readonly CompiledRule[], names: readonly string[]): Remaining[] {
  const found: Remaining[] = [];
  for (const rule of rules) {
    const positions = rule.pattern.behind(names);
    if (positions.length === 0) continue;
    found.push({ rule, positions });
    if (rule.pattern.takesAll(positions)) break;
  }
  return found;
}

function isAsStrict(later: Remaining | undefined, { allow, hidden }: CompiledRule): boolean {
  if (later === undefined || (hidden && !later.rule.hidden)) return false;
  for (const operation of later.rule.allow) if (!allow.has(operation)) return false;
  return true;
}
