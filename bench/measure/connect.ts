import { runSession, runSFTP } from "../client.js";
import type { Login } from "../login.js";
import type { CpuUsage } from "../servers/contender.js";

/**
 * CPU seconds for one connect, login by public key and exec of a command without output.
 *
 * @param clients that connect at the same time, each one connection after the other
 */
export function measureConnect(login: Login, connects: number, clients = 1): Promise<CpuUsage> {
  const command = login.contender.outputCommand(0);
  return measureEach(login, connects, () => runSession({ ...login, command }), clients);
}

/** CPU seconds for one connect, login by public key and SFTP session that does nothing. */
export function measureSFTPConnect(login: Login, connects: number): Promise<CpuUsage> {
  return measureEach(login, connects, () => runSFTP(login, []));
}

async function measureEach(
  { contender }: Login,
  connects: number,
  connect: () => Promise<unknown>,
  clients = 1,
): Promise<CpuUsage> {
  const before = await contender.cpu();
  let left = connects;
  const client = async () => {
    while (left-- > 0) await connect();
  };
  await Promise.all(Array.from({ length: clients }, client));
  const after = await contender.cpu();
  return {
    server: (after.server - before.server) / connects,
    commands: (after.commands - before.commands) / connects,
  };
}
