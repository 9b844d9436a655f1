import type { SFTPCase } from "../cases.js";
import { runSFTP } from "../client.js";
import type { Login } from "../login.js";
import { sftpTask } from "../sftp-files.js";

export interface SFTPCost {
  /** CPU of the server, without what connecting costs. */
  readonly cpuSeconds: number;
  /** From the command to its end, by the clock. */
  readonly seconds: number;
}

/**
 * One operation, through a session of its own.
 *
 * @param connectSeconds CPU seconds that one connect and SFTP session without a command costs this server
 */
export async function measureSFTP(
  login: Login,
  { operation, clientOptions }: SFTPCase,
  connectSeconds: number,
): Promise<SFTPCost> {
  const { contender, workspace } = login;
  const { command, repetitions, finish } = sftpTask(operation, workspace);
  const before = await contender.cpu();
  const { output, seconds } = await runSFTP(login, Array<string>(repetitions).fill(command), clientOptions);
  const after = await contender.cpu();
  finish(output);
  return {
    cpuSeconds: (after.server - before.server - connectSeconds) / repetitions,
    seconds: seconds / repetitions,
  };
}
