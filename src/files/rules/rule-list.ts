import { ConfigurationError } from "../../base/configuration-error.js";
import type { CompiledRule, Subject } from "./rule.js";

/** Rules whose paths all start with the same names, in their order, and those whose paths go on from there. */
interface Branch {
  readonly rules: CompiledRule[];
  /** The same rules by the last character of their paths, where all paths of a rule end in one; `withAnyEnd` has the others. */
  readonly byEnd: Map<string, CompiledRule[]>;
  readonly withAnyEnd: CompiledRule[];
  readonly branches: Map<string, Branch>;
}

/**
 * Pairs of rules that are compared to find those that can never match: so many are made by some 450 rules with wildcards in their
 * first name. Of more rules the last ones are not compared.
 */
const MAX_COMPARISONS = 100_000;

/** Rules, found by path: those about other directories cost nothing. */
export class RuleList {
  readonly rules: readonly CompiledRule[];
  readonly #root: Branch = newBranch();
  #comparisons = 0;

  /** @throws {ConfigurationError} naming a rule that can never match because of one before it, as far as that is easily seen */
  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    for (const rule of rules) this.#add(rule);
  }

  /** The first rule that is about a path and a user. @param path canonical */
  find(path: string, subject: Subject): CompiledRule | undefined {
    const names = namesOf(path);
    const lastName = names.at(-1) ?? "";
    const end = lastName.slice(-1);
    let found: CompiledRule | undefined;
    let branch: Branch | undefined = this.#root;
    for (let depth = 0; branch !== undefined; depth++) {
      for (const rules of [branch.withAnyEnd, branch.byEnd.get(end)]) {
        for (const rule of rules ?? []) {
          if (found !== undefined && rule.place > found.place) break;
          if (!rule.isAbout(subject) || !rule.pattern.matchesRest(path, names, lastName)) continue;
          found = rule;
          break;
        }
      }
      const name = names[depth];
      branch = name === undefined ? undefined : branch.branches.get(name);
    }
    return found;
  }

  #add(rule: CompiledRule): void {
    let branch = this.#root;
    this.#demandUse(rule, branch);
    for (const name of rule.pattern.literals) {
      let next = branch.branches.get(name);
      if (next === undefined) {
        next = newBranch();
        branch.branches.set(name, next);
      }
      branch = next;
      this.#demandUse(rule, branch);
    }
    branch.rules.push(rule);
    const end = rule.pattern.suffix.slice(-1);
    const withEnd = end === "" ? branch.withAnyEnd : (branch.byEnd.get(end) ?? []);
    withEnd.push(rule);
    if (end !== "") branch.byEnd.set(end, withEnd);
  }

  #demandUse(rule: CompiledRule, { rules }: Branch): void {
    const first = rules.find((earlier) => ++this.#comparisons <= MAX_COMPARISONS && earlier.covers(rule));
    if (first === undefined) return;
    const path = JSON.stringify(first.pattern.text);
    throw new ConfigurationError(
      rule.name,
      `can never match: ${first.name} is about all of its paths, ${path}, and comes first`,
    );
  }
}

/** The names of a canonical path. */
export function namesOf(path: string): readonly string[] {
  return path === "/" ? [] : path.slice(1).split("/");
}

function newBranch(): Branch {
  return { rules: [], byEnd: new Map(), withAnyEnd: [], branches: new Map() };
}
