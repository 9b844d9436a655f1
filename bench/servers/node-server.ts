import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { stopChild, trackChild } from "../resources.js";
import type { Workspace } from "../workspace.js";
import { type Contender, rawTerminalEcho } from "./contender.js";
import type { ServerQuestion, ServerReport } from "./harness.js";

/**
 * Starts `servers/spindlex.js` or `ssh2.js` of the folder with the compiled programs as a process of its own.
 *
 * @param workers processes of spindlex beside the first; 0 for one by itself
 */
export async function startNodeServer(
  name: "spindlex" | "ssh2",
  folder: string,
  workspace: Workspace,
  workers: number,
): Promise<Contender> {
  const program = join(folder, "servers", `${name}.js`);
  const child = spawn(process.execPath, ["--expose-gc", program, JSON.stringify(workspace), `${workers}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  trackChild(child);
  const started = await nextReport(child, "started");
  const cpuSeconds = async () => (await ask(child, "cpu")).seconds;
  return {
    name,
    description: started.description,
    port: started.port,
    outputCommand: (bytes) => `output ${bytes}`,
    smallOutputCommand: (bytes) => `small ${bytes}`,
    laterOutputCommand: (bytes) => `later ${bytes}`,
    echoCommand: () => "echo",
    terminalEchoCommand: () => rawTerminalEcho,
    inputCommand: () => "input",
    programCommand: (bytes) => (bytes === 0 ? "true" : `head -c ${bytes} /dev/zero`),
    cpu: async () => ({ server: await cpuSeconds(), commands: 0 }),
    runningCpuSeconds: cpuSeconds,
    memoryKiB: async () => (await ask(child, "memory")).kibibytes,
    stop: () => stopChild(child),
  };
}

function ask<Q extends ServerQuestion>(child: ChildProcess, question: Q): Promise<Extract<ServerReport, { kind: Q }>> {
  const answer = nextReport(child, question);
  child.send(question);
  return answer;
}

function nextReport<K extends ServerReport["kind"]>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<ServerReport, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const ended = (status: number | null) => reject(new Error(`the server process ended with ${status}`));
    child.once("exit", ended);
    child.once("message", (report: Extract<ServerReport, { kind: K }>) => {
      child.off("exit", ended);
      if (report.kind === kind) resolve(report);
      else reject(new Error(`expected a "${kind}" report`));
    });
  });
}
