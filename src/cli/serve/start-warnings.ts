import { resolve } from "node:path";
import { homes, loggedText, NoHomeError } from "../../index.js";
import { StartError } from "../errors.js";
import type { Log } from "./log.js";
import type { FolderOptions, ServeOptions } from "./serve-options.js";
import type { LoadedUsers } from "./users.js";

/** Names in one warning. */
const MAX_NAMES = 20;

/**
 * Warns of what the options allow, but the operator hardly wants.
 *
 * @param named users whom the rules are about
 * @throws {StartError} when nobody could have a home
 */
export async function warnAtStart(
  options: ServeOptions,
  { names }: Pick<LoadedUsers, "names">,
  named: ReadonlySet<string> = new Set(),
  logger: Log,
): Promise<void> {
  const { folder } = options;
  if (folder === undefined) return;
  const strangers = [...named].filter((user) => !names.includes(user));
  if (strangers.length > 0) logger.warn({ users: shown(strangers) }, "the rules name users who cannot log in");
  const ignored = optionsOfNoProgram(folder);
  if ((options.allowExec || options.shell) && ignored.length > 0) {
    logger.warn({ options: ignored }, "programs do not keep to these options, and see what their user sees");
  }
  if (folder.homes) await warnOfHomeless(folder, names, logger);
}

function optionsOfNoProgram({ readOnly, quota, rules, homes }: FolderOptions): readonly string[] {
  return [
    ...(readOnly ? ["--read-only"] : []),
    ...(quota === undefined ? [] : ["--quota"]),
    ...(rules === undefined ? [] : ["--rules"]),
    ...(homes ? ["--homes"] : []),
  ];
}

async function warnOfHomeless({ path }: FolderOptions, names: readonly string[], logger: Log): Promise<void> {
  const existing = homes({ root: resolve(path), create: false });
  const homeless: string[] = [];
  for (const name of names) {
    const problem: unknown = await existing.usage(name).catch((error: unknown) => error);
    if (problem instanceof NoHomeError && problem.reason === "name") homeless.push(name);
  }
  if (homeless.length === 0) return;
  const [only, ...others] = homeless;
  if (names.length === homeless.length) {
    const who = others.length === 0 ? loggedText(JSON.stringify(only)) : "these users";
    throw new StartError(`--homes: a folder cannot have the name of ${who}`);
  }
  logger.warn({ users: shown(homeless) }, "a folder cannot have the names of these users: they have no home");
}

function shown(names: readonly string[]): readonly string[] {
  return names.slice(0, MAX_NAMES).map((name) => loggedText(name));
}
