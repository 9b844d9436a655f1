import { ConfigurationError } from "../../base/configuration-error.js";
import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import { checkFunction, checkOptions } from "../../base/option-checks.js";
import type { AccessContext, AccessFunction } from "../access-function.js";
import type { FileOperation } from "../file-operation.js";
import type { FileServerConnection } from "../file-server-stream.js";
import { type FindGroups, Membership } from "./membership.js";
import { opensNothing } from "./moved-directory.js";
import { CompiledRule, type Rule, type Subject } from "./rule.js";
import { namesOf, RuleList } from "./rule-list.js";

/** The options of `rules`. `Client` is the connection that `groups` is asked with. */
export interface RulesOptions<Client extends object = FileServerConnection> {
  /**
   * The groups that a user is in, asked once for each connection, and only where a rule has `groups`. Default: the list
   * `groups` of the login's data, `new Grant({ data: { groups: ["staff"] } })`. Where it throws, or gives no list, all is
   * refused.
   */
  readonly groups?: FindGroups<Client>;
}

/**
 * A function for the option `access` that goes by rules: `rules([{ path: "/incoming/**", allow: ["create"] }])`. The first
 * rule that is about a path and a user decides; what no rule is about is refused.
 *
 * A directory can be moved only where the rules then allow nothing more about its contents than before.
 *
 * @throws {ConfigurationError} naming the rule, for what shells understand in another way than these patterns, for an
 * operation that does not exist, and for a rule that can never match because of one before it
 */
export function rules<Client extends object = FileServerConnection>(
  list: readonly Rule[],
  options: RulesOptions<Client> = {},
): AccessFunction<Client> {
  const { groups } = checkOptions(options, ["groups"]);
  if (groups !== undefined) checkFunction("groups", groups);
  if (!Array.isArray(list)) throw new ConfigurationError("rules", "must be a list of rules");
  if (list.length === 0) throw new ConfigurationError("rules", "has no rule: nothing would be allowed");
  const ruleList = new RuleList(list.map((rule: Rule, place) => new CompiledRule(rule, place)));
  const membership = ruleList.rules.some(({ asksGroups }) => asksGroups) ? new Membership(groups) : undefined;

  const withSubject = <Answer>(
    context: AccessContext<Client>,
    next: (subject: Subject) => MaybePromise<Answer>,
  ): MaybePromise<Answer> => {
    if (membership === undefined) return next({ user: context.user, groups: NO_GROUPS });
    return whenDone(membership.of(context), (found) => next({ user: context.user, groups: found }));
  };

  const decide = (operation: FileOperation, path: string, { to, isDirectory }: AccessContext<Client>) => {
    return (subject: Subject): boolean => {
      const isAllowed = ruleList.find(path, subject)?.allow.has(operation) === true;
      if (!isAllowed || operation !== "rename" || to === undefined || isDirectory !== true) return isAllowed;
      return opensNothing(ruleList.rules, namesOf(path), namesOf(to), subject);
    };
  };

  return Object.assign(
    (operation: FileOperation, path: string, context: AccessContext<Client>) =>
      withSubject(context, decide(operation, path, context)),
    ruleList.rules.some(({ hidden }) => hidden) && {
      hides: (path: string, context: AccessContext<Client>) =>
        withSubject(context, (subject) => ruleList.find(path, subject)?.hidden === true),
    },
    {
      explain(operation: FileOperation, path: string, context: AccessContext<Client>): string {
        const rule = withSubject(context, (subject) => explanation(ruleList.find(path, subject), operation));
        return isThenable(rule) ? "the groups of the user are not known yet" : rule;
      },
    },
  );
}

const NO_GROUPS: ReadonlySet<string> = new Set();

function explanation(rule: CompiledRule | undefined, operation: FileOperation): string {
  if (rule === undefined) return "no rule is about it";
  const name = `${rule.name}, ${JSON.stringify(rule.pattern.text)}`;
  return rule.allow.has(operation) ? `${name}: other rules would open what lies in the directory` : name;
}
