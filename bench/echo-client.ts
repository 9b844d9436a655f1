import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stopChild, trackChild } from "./resources.js";

/** Microseconds from sending one byte to its return. */
export interface EchoTimes {
  readonly median: number;
  readonly percentile99: number;
}

const longestTime = 5_000;
/** Of logging in, warming up and measuring. */
const echoTimeout = 60_000;

/**
 * Sends single bytes through an `ssh` whose command echoes them.
 *
 * @param client the program and its parameters
 * @param directory for the pipes
 * @param programsFolder where the compiled programs are
 * @throws {Error} when the echo does not come
 */
export async function runEchoes(
  client: readonly string[],
  echoes: number,
  directory: string,
  programsFolder: string,
): Promise<EchoTimes> {
  const pipes = mkdtempSync(join(directory, "echo-"));
  const input = join(pipes, "input");
  const output = join(pipes, "output");
  execFileSync("mkfifo", [input, output]);
  // The shell opens what the driver opens, in the same order: each waits there for the other.
  const ssh = spawn("/bin/sh", ["-c", 'exec "$@" <"$0/input" >"$0/output"', pipes, ...client], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  trackChild(ssh);
  let log = "";
  ssh.stderr.on("data", (data) => {
    log += data;
  });
  const driver = [join(programsFolder, "echo-driver.js"), input, output, String(echoes), String(longestTime)];
  try {
    const options = { timeout: echoTimeout, killSignal: "SIGKILL" } as const;
    const { stdout } = await promisify(execFile)(process.execPath, driver, options);
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(`no echo: ${error instanceof Error ? error.message : error}\n${log}`);
  } finally {
    await stopChild(ssh);
    rmSync(pipes, { recursive: true });
  }
}
