/** Whether this is `npm run test:long`. */
export const isLong = process.env.TEST_LONG !== undefined;

/** How much of something a test does: enough to fail if the code is wrong, and what takes minutes only in the long run. */
export function extent(short: number, long: number): number {
  return isLong ? long : short;
}
