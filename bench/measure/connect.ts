import { runSession, runSFTP } from "../client.js";
import type { Login } from "../login.js";
import type { CpuUsage } from "../servers/contender.js";

/** CPU seconds for one connect, login by public key and exec of a command without output. */
export function measureConnect(login: Login, connects: number): Promise<CpuUsage> {
  return measureEach(login, connects, () => runSession({ ...login, command: login.contender.outputCommand(0) }));
}

/** CPU seconds for one connect, login by public key and SFTP session that does nothing. */
export function measureSFTPConnect(login: Login, connects: number): Promise<CpuUsage> {
  return measureEach(login, connects, () => runSFTP(login, []));
}

async function measureEach({ contender }: Login, connects: number, connect: () => Promise<unknown>): Promise<CpuUsage> {
  const before = await contender.cpu();
  for (let connection = 0; connection < connects; connection++) await connect();
  const after = await contender.cpu();
  return {
    server: (after.server - before.server) / connects,
    commands: (after.commands - before.commands) / connects,
  };
}
