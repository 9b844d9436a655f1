import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stopChild, trackChild } from "./resources.js";
import type { Contender } from "./servers/contender.js";

/**
 * The same server at the end of a long path, by a port of its own.
 *
 * @param folder where the compiled programs are
 * @param roundTrip milliseconds
 */
export async function behindRelay(contender: Contender, folder: string, roundTrip: number): Promise<Contender> {
  const program = join(folder, "delaying-relay.js");
  const child = spawn(process.execPath, [program, String(contender.port), String(roundTrip / 2)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  trackChild(child);
  const [port] = await once(child, "message");
  return {
    ...contender,
    port,
    async stop() {
      await stopChild(child);
      await contender.stop();
    },
  };
}
