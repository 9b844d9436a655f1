import { ConfigurationError } from "../../base/configuration-error.js";
import { checkNotUndefined, checkOptions, checkText, shown } from "../../base/option-checks.js";
import { nearestName } from "../../base/similar-names.js";
import { FILE_OPERATIONS, type FileOperation } from "../file-operation.js";
import { PathPattern } from "./path-pattern.js";

interface RulePath {
  /**
   * The paths that the rule is about: absolute, with `*`, `?` and `[a-z]` as shells have them for names, and `**` for any
   * number of directories: `/docs/**` is `/docs` and all below it.
   */
  readonly path: string;
  /** The rule is about these users, and no others but those of `groups`. Default: about everybody. */
  readonly users?: readonly string[];
  /** The rule is about the users in one of these groups, and no others but those of `users`. */
  readonly groups?: readonly string[];
}

/** What some users may do to some paths, or what is hidden from them. */
export type Rule =
  | (RulePath & {
      /** All else is refused. A rule that allows nothing is about all that lies below its paths, too. */
      readonly allow: readonly FileOperation[] | "all";
    })
  | (RulePath & {
      /** Nothing is at these paths and below them, for all that a client can see. */
      readonly hidden: true;
    });

/** The user that a decision is about. */
export interface Subject {
  readonly user: string | undefined;
  readonly groups: ReadonlySet<string>;
}

const RULE_OPTIONS = ["path", "users", "groups", "allow", "hidden"] as const;

const ALL: ReadonlySet<FileOperation> = new Set(FILE_OPERATIONS);
const NONE: ReadonlySet<FileOperation> = new Set();

/** The operations that people look for under other names. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["write", "create, overwrite or append"],
  ["upload", "create"],
  ["download", "read"],
  ["remove", "delete"],
  ["unlink", "delete"],
  ["mkdir", "makeDirectory"],
  ["rmdir", "removeDirectory"],
  ["move", "rename"],
  ["link", "hardlink or symlink"],
  ["chmod", "attributes"],
  ["setstat", "attributes"],
  ["readdir", "list"],
  ["lstat", "stat"],
]);

/** A rule, read. */
export class CompiledRule {
  /** Its name in errors and in the log. */
  readonly name: string;
  readonly place: number;
  readonly pattern: PathPattern;
  readonly allow: ReadonlySet<FileOperation>;
  readonly hidden: boolean;
  readonly #users: ReadonlySet<string> | undefined;
  readonly #groups: ReadonlySet<string> | undefined;

  /**
   * @param place in the list, from 0
   * @throws {ConfigurationError} naming what is wrong with it
   */
  constructor(rule: Rule, place: number) {
    this.name = `rules[${place}]`;
    this.place = place;
    const { path, users, groups, allow, hidden } = checkRule(rule, this.name);
    this.hidden = hidden === true;
    this.allow = this.hidden ? NONE : readOperations(`${this.name}.allow`, allow);
    // What is closed is closed with all that lies in it.
    const below = this.allow.size === 0 ? "with all below" : "as it is";
    this.pattern = new PathPattern(`${this.name}.path`, checkText(`${this.name}.path`, path, "a path"), below);
    this.#users = users === undefined ? undefined : readNames(`${this.name}.users`, users);
    this.#groups = groups === undefined ? undefined : readNames(`${this.name}.groups`, groups);
  }

  get asksGroups(): boolean {
    return this.#groups !== undefined;
  }

  isAbout({ user, groups }: Subject): boolean {
    if (this.#users === undefined && this.#groups === undefined) return true;
    if (user !== undefined && this.#users?.has(user)) return true;
    if (this.#groups === undefined) return false;
    for (const group of this.#groups) if (groups.has(group)) return true;
    return false;
  }

  /** Whether this rule is about all that another one is about, as far as that is easily seen. */
  covers(other: CompiledRule): boolean {
    return this.#isAboutAllOf(other) && this.pattern.covers(other.pattern);
  }

  #isAboutAllOf(other: CompiledRule): boolean {
    if (this.#users === undefined && this.#groups === undefined) return true;
    if (other.#users === undefined && other.#groups === undefined) return false;
    return isWithin(other.#users, this.#users) && isWithin(other.#groups, this.#groups);
  }
}

interface CheckedRule {
  readonly path: string;
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  readonly allow?: readonly FileOperation[] | "all";
  readonly hidden?: boolean;
}

function checkRule(rule: Rule, name: string): CheckedRule {
  const checked: CheckedRule = checkOptions<CheckedRule>(rule, RULE_OPTIONS, name);
  checkNotUndefined(checked, ["users", "groups", "allow", "hidden"], name);
  if (checked.hidden !== undefined && checked.hidden !== true) {
    throw new ConfigurationError(`${name}.hidden`, `must be true, or left out, not ${shown(checked.hidden)}`);
  }
  if (checked.hidden === true && checked.allow !== undefined) {
    throw new ConfigurationError(name, "cannot have both allow and hidden: nothing can be done to what is hidden");
  }
  if (checked.hidden === undefined && checked.allow === undefined) {
    throw new ConfigurationError(name, "must have allow, [] for nothing, or hidden");
  }
  return checked;
}

function readOperations(option: string, allow: CheckedRule["allow"]): ReadonlySet<FileOperation> {
  if (allow === "all") return ALL;
  if (!Array.isArray(allow)) throw new ConfigurationError(option, 'must be a list of operations, or "all"');
  for (const [place, operation] of allow.entries()) {
    if (!FILE_OPERATIONS.includes(operation)) throw unknownOperation(`${option}[${place}]`, operation);
  }
  return new Set(allow);
}

function unknownOperation(option: string, operation: unknown): ConfigurationError {
  const meant =
    typeof operation === "string" ? (OTHER_NAMES.get(operation) ?? nearestName(operation, FILE_OPERATIONS)) : undefined;
  const guess = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  const known = FILE_OPERATIONS.join(", ");
  return new ConfigurationError(option, `there is no operation ${shown(operation)}${guess}; there are ${known}`);
}

function readNames(option: string, names: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(names)) throw new ConfigurationError(option, "must be a list of names");
  if (names.length === 0) throw new ConfigurationError(option, "names nobody: leave it out for everybody");
  for (const [place, name] of names.entries()) {
    if (checkText(`${option}[${place}]`, name, "a name") === "") {
      throw new ConfigurationError(`${option}[${place}]`, "must not be empty");
    }
  }
  return new Set(names);
}

function isWithin(names: ReadonlySet<string> = new Set(), others: ReadonlySet<string> = new Set()): boolean {
  for (const name of names) if (!others.has(name)) return false;
  return true;
}
