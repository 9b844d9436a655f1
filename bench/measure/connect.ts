import { runSession, type Session } from "../client.js";

/** CPU milliseconds of the server for one connect, login by public key and exec of a command without output. */
export async function measureConnect(base: Omit<Session, "command">, connects: number): Promise<number> {
  const { contender } = base;
  const before = await contender.cpu();
  for (let connection = 0; connection < connects; connection++) {
    await runSession({ ...base, command: contender.outputCommand(0) });
  }
  const after = await contender.cpu();
  return ((after.server - before.server) / connects) * 1000;
}
