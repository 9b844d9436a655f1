import type { ProgramCase } from "../cases.js";
import { runSession } from "../client.js";
import type { Login } from "../login.js";

export interface ProgramCost {
  /** CPU seconds of the server, without the program's own, for one program with its connection. */
  readonly serverSeconds: number;
  /** From the end of authentication to the end of the session, seconds. */
  readonly seconds: number;
}

/**
 * Runs a program on the server's machine.
 *
 * @param bytes that it puts out, if it does
 * @param starts how often one that does nothing is started
 */
export async function measureProgram(
  login: Login,
  { on, work }: ProgramCase,
  bytes: number,
  starts: number,
): Promise<ProgramCost> {
  const { contender } = login;
  const output = work === "output" ? bytes : 0;
  const count = work === "output" ? 1 : starts;
  const session = { ...login, command: contender.programCommand(output), terminal: on === "terminal" };
  const before = await contender.cpu();
  let seconds = 0;
  for (let start = 0; start < count; start++) {
    const result = await runSession(session);
    if (result.bytesReceived < output) throw new Error(`not all of ${output} bytes of the program arrived`);
    seconds += result.seconds;
  }
  const after = await contender.cpu();
  return { serverSeconds: (after.server - before.server) / count, seconds: seconds / count };
}
