import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { OpenSSH } from "../openssh.js";
import { childrenOf, cpuSecondsWithReapedChildren, descendants, proportionalSetSizeKiB } from "../processes.js";
import { stopChild, trackChild } from "../resources.js";
import type { Workspace } from "../workspace.js";
import { type Contender, echoIsReady, rawTerminalEcho } from "./contender.js";

/**
 * OpenSSH's sshd with a configuration of its own.
 *
 * Its CPU time is spread over processes: per connection a monitor, a child before authentication, and the user's shell
 * with the command. All are descendants of the listening process and waited for, so once none is left the listener's
 * cutime + cstime, plus its own, is everything. What the shell and the command used is not work of an SSH server (the
 * Node.js servers run no program) and is told apart: each command ends with the shell's `times`, which appends its own
 * time and that of its children to a file. That time starts at sshd's fork, so the little that sshd does between fork
 * and exec counts as the command's, and the end of the shell after `times` as sshd's: about a millisecond each.
 */
export async function startSshd(openssh: OpenSSH, workspace: Workspace): Promise<Contender> {
  const program = openssh.server;
  if (program === undefined) throw new Error(`no sshd beside ${openssh.client}: apt-get install openssh-server`);
  const directory = mkdtempSync(join(workspace.directory, "sshd-"));
  const commandTimesFile = join(directory, "command-times");
  const logFile = join(directory, "log");
  writeFileSync(commandTimesFile, "");
  createPrivilegeSeparationDirectory();
  const port = await freePort();
  const configurationFile = join(directory, "sshd_config");
  writeFileSync(configurationFile, configuration(openssh, workspace, directory, port));

  // -D: in the foreground, so the child is the listener. sshd insists on an absolute path of its own.
  const child = spawn(program, ["-D", "-f", configurationFile, "-E", logFile], { stdio: "ignore" });
  trackChild(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended:\n${readFileSync(logFile, "utf8")}`);
    await delay(20);
  }

  const timed = (command: string) => `${command}; times >>${commandTimesFile}`;
  return {
    name: "sshd",
    description: `${openssh.version} (${program})`,
    port,
    outputCommand: (bytes) => timed(`head -c ${bytes} /dev/zero`),
    smallOutputCommand: (bytes) => timed(`dd if=/dev/zero bs=1k count=${bytes / 1024} 2>/dev/null`),
    laterOutputCommand: (bytes) => timed(`read line; head -c ${bytes} /dev/zero; read line`),
    echoCommand: () => timed(`printf ${echoIsReady}; cat`),
    terminalEchoCommand: () => timed(rawTerminalEcho),
    programCommand: (bytes) => timed(bytes === 0 ? "true" : `head -c ${bytes} /dev/zero`),
    // A reader with a large buffer: a small one would cost sshd more, shorter writes.
    inputCommand: () => timed("dd of=/dev/null bs=128k 2>&1"),
    async cpu() {
      while (childrenOf(pid).length > 0) await delay(5);
      const commands = sumOfTimes(readFileSync(commandTimesFile, "utf8"));
      return { server: cpuSecondsWithReapedChildren(pid) - commands, commands };
    },
    async runningCpuSeconds() {
      return [pid, ...descendants(pid)].map(cpuSecondsWithReapedChildren).reduce((sum, seconds) => sum + seconds, 0);
    },
    async memoryKiB() {
      return [pid, ...descendants(pid)].map(proportionalSetSizeKiB).reduce((sum, size) => sum + size, 0);
    },
    stop: () => stopChild(child),
  };
}

function configuration(openssh: OpenSSH, workspace: Workspace, directory: string, port: number): string {
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${workspace.hostKeyFile}`,
    `AuthorizedKeysFile ${workspace.authorizedKeysFile}`,
    `TrustedUserCAKeys ${workspace.authorityFile}`,
    `PidFile ${join(directory, "pid")}`,
    "StrictModes no", // The keys lie in a directory under /tmp.
    "UsePAM no",
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 100",
    "MaxSessions 100",
    // bash reads ~/.bashrc for a command of sshd, whatever that costs here, unless it is a shell in a shell.
    "SetEnv SHLVL=1",
    // Not rooted: ChrootDirectory wants every folder on the way to be root's alone, and /tmp and /dev/shm are everyone's.
    `Subsystem sftp internal-sftp -d ${workspace.servedFolder}`,
    "LogLevel ERROR",
    ...openssh.serverConfiguration,
  ];
  return `${lines.join("\n")}\n`;
}

/** As root, sshd wants an empty directory at a place fixed when it was built. */
function createPrivilegeSeparationDirectory(): void {
  if (process.getuid?.() === 0 && !existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
}

/** Sums lines such as `0m0.021s 0m1.340s`: what `times` of any POSIX shell prints. */
function sumOfTimes(text: string): number {
  let seconds = 0;
  for (const [, minutes, rest] of text.matchAll(/(\d+)m([\d.]+)s/g)) seconds += Number(minutes) * 60 + Number(rest);
  return seconds;
}

/** sshd takes no port 0, so one is asked for here and given back. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.destroy());
    socket.once("error", () => resolve(false));
    socket.once("close", (hadError) => resolve(!hadError));
  });
}
