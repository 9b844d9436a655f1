/** Whether this is `npm run test:long`. */
export const isLong = process.env.TEST_LONG !== undefined;

/** How much of something a test does: enough to fail if the code is wrong, and what takes minutes only in the long run. */
export function extent(short: number, long: number): number {
  return isLong ? long : short;
}

/** Of the cases of a table every `share`-th, the first among them; in the long run all. */
export function sample<Case>(cases: readonly Case[], share: number): readonly Case[] {
  return isLong ? cases : cases.filter((_, index) => index % share === 0);
}
