/** Runs that are spent on one finding. */
const MAXIMUM_RUNS = 600;

/** Makes an input smaller and plainer as long as it still `shows` the same. */
export async function minimise(input: Buffer, shows: (candidate: Buffer) => Promise<boolean>): Promise<Buffer> {
  let smallest = input;
  let runs = 0;
  const tryOut = async (candidate: Buffer): Promise<boolean> => {
    if (++runs > MAXIMUM_RUNS || !(await shows(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let part = Math.ceil(input.length / 2); part >= 1 && runs < MAXIMUM_RUNS; part = Math.floor(part / 2)) {
    for (let at = 0; at < smallest.length && runs < MAXIMUM_RUNS; ) {
      if (!(await tryOut(Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + part)])))) at += part;
    }
  }
  for (let at = 0; at < smallest.length && runs < MAXIMUM_RUNS; at++) {
    if (smallest[at] === 0) continue;
    const candidate = Buffer.from(smallest);
    candidate[at] = 0;
    await tryOut(candidate);
  }
  return smallest;
}
