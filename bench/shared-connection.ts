import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { destination, expectNegotiated, type Login, loginArguments } from "./login.js";
import { stopChild, trackChild } from "./resources.js";

/** A connection of `ssh` that others use (ControlMaster): each of them has a channel of it. */
export interface SharedConnection {
  /** Of the one process that has the connection. */
  readonly pid: number;
  /** The client, with the parameters that stand before those of a command. */
  readonly client: readonly string[];
  close(): Promise<void>;
}

let connections = 0;

/** @throws {Error} when nobody can log in, or not as the login asks for */
export async function openSharedConnection(login: Login): Promise<SharedConnection> {
  const { openssh, workspace } = login;
  const socket = join(workspace.directory, `shared-${connections++}`);
  const parameters = ["-M", "-N", "-o", `ControlPath=${socket}`, ...loginArguments(login), destination];
  const child = spawn(openssh.client, parameters, { stdio: ["ignore", "ignore", "pipe"] });
  trackChild(child);
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (data) => {
      log += data;
      if (log.includes("Entering interactive session")) resolve();
    });
    child.once("close", () => reject(new Error(`ssh to ${login.contender.name} ended:\n${log}`)));
    child.once("error", reject);
  });
  expectNegotiated(log, login);
  const { pid } = child;
  if (pid === undefined) throw new Error("ssh was not started");
  return {
    pid,
    client: [openssh.client, "-F", "none", "-S", socket, "-o", "ControlMaster=no", "-o", "BatchMode=yes"],
    async close() {
      if (child.exitCode === null) {
        const exit = spawn(openssh.client, ["-F", "none", "-S", socket, "-O", "exit", destination], {
          stdio: "ignore",
        });
        await once(exit, "close");
      }
      await stopChild(child);
      rmSync(socket, { force: true });
    },
  };
}
