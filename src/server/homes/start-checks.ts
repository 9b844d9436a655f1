/** Finds out why something cannot be served; the text is for the log. */
export type FindProblem = () => Promise<string | undefined>;

const checks = new WeakMap<object, FindProblem>();

/** Leaves a look at the folders of a function that gives files, for when its server starts. */
export function checkAtStart(files: object, check: FindProblem): void {
  checks.set(files, check);
}

/** Why a function that gives files cannot do so, as far as it is known before a user comes. */
export async function problemAtStart(files: object): Promise<string | undefined> {
  return checks.get(files)?.();
}
