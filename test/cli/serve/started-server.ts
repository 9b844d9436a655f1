import { join } from "node:path";
import { listeningPort, type RunningProcess, startProgram } from "../../examples/running-process.js";

export const MAIN = join("src", "cli", "main.ts");

export interface StartedServer {
  readonly server: RunningProcess;
  readonly port: number;
  /** Empty where there is none. */
  readonly password: string;
}

/** Starts `spindlex serve` on a free port. */
export async function startServer(args: readonly string[], env: NodeJS.ProcessEnv): Promise<StartedServer> {
  const server = startProgram(MAIN, ["serve", "--port", "0", ...args], env);
  const port = await listeningPort(server);
  const [, password = ""] = /^Password: {2}(\S+)/m.exec(server.stdout) ?? [];
  return { server, port, password };
}
