import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The path of the host key when no other one was asked for (XDG Base Directory Specification). */
export function defaultHostKeyPath(environment: NodeJS.ProcessEnv): string {
  const stateHome = environment.XDG_STATE_HOME;
  const folder = stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(homedir(), ".local", "state");
  return join(folder, "spindlex", "host_key");
}
