import { readFile } from "node:fs/promises";
import { type AccessFunction, type Rule, rules } from "../../sftp/index.js";
import { describeError, StartError } from "../errors.js";
import { parseJSON } from "./json-text.js";
import { requireTrusted } from "./trusted-file.js";

/** What a file of rules holds. */
interface RulesFile {
  readonly rules: readonly Rule[];
  /** Names of users by the name of their group. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/** Decides which users may do what. */
export interface LoadedRules extends AccessFunction {
  /** The users that the rules and their groups name. */
  readonly users: ReadonlySet<string>;
}

/**
 * Reads a file of rules: `{ "rules": [{ "path": "/docs/**", "allow": ["read"] }], "groups": { "staff": ["ann"] } }`.
 *
 * @throws {StartError} naming the file, and the rule that cannot be used
 */
export async function loadRules(path: string): Promise<LoadedRules> {
  try {
    await requireTrusted(path);
    return makeRules(parseJSON(await readFile(path, "utf8")));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "there is no such file" : describeError(error);
    throw new StartError(`--rules ${path}: ${reason}`, { cause: error });
  }
}

function makeRules(content: unknown): LoadedRules {
  const file = checkFile(content);
  const groups = new Map(Object.entries(file.groups ?? {}));
  const access = rules(file.rules, {
    groups: ({ user }) => [...groups].filter(([, users]) => users.includes(user ?? "")).map(([group]) => group),
  });
  for (const [place, rule] of file.rules.entries()) {
    const unknown = rule.groups?.find((group) => !groups.has(group));
    if (unknown !== undefined) throw new Error(`rules[${place}].groups: "groups" has no ${JSON.stringify(unknown)}`);
  }
  const users = [...file.rules.flatMap((rule) => rule.users ?? []), ...[...groups.values()].flat()];
  return Object.assign(access, { users: new Set(users) });
}

function checkFile(content: unknown): RulesFile {
  if (!isObject(content) || !Object.hasOwn(content, "rules")) throw new Error('must be an object with "rules"');
  const odd = Object.keys(content).find((name) => name !== "rules" && name !== "groups");
  if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} is not known; there are "rules" and "groups"`);
  const { groups = {} } = content as { readonly groups?: unknown };
  if (!isObject(groups)) throw new Error('"groups" must be an object: lists of users by group');
  for (const [group, users] of Object.entries(groups)) {
    const isList = Array.isArray(users) && users.every((user) => typeof user === "string" && user !== "");
    if (!isList) throw new Error(`groups[${JSON.stringify(group)}]: must be a list of users`);
  }
  return content as unknown as RulesFile;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
