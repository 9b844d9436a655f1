import { spawn } from "node:child_process";
import { isolatedStdio } from "./open-terminals.js";

/** The time that stty(1) may take, milliseconds. */
const STTY_TIME = 5_000;

const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };

/**
 * Runs stty(1).
 *
 * @param terminal a descriptor of the programs' end
 * @returns what it says. Rejects with an Error where it cannot do all of it, or is not there
 */
export function stty(terminal: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio = isolatedStdio(terminal, "pipe", "pipe");
    const child = spawn("stty", words, { stdio, env: ENVIRONMENT, timeout: STTY_TIME, killSignal: "SIGKILL" });
    let [said, complaint] = ["", ""];
    child.stdout?.setEncoding("latin1").on("data", (part: string) => {
      said += part;
    });
    child.stderr?.setEncoding("latin1").on("data", (part: string) => {
      complaint += part;
    });
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) resolve(said);
      else reject(new Error(`stty has failed: ${complaint.trim()}`));
    });
  });
}
