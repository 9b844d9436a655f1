import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { OpenSSH } from "./openssh.js";
import { trackChild } from "./resources.js";
import type { Contender } from "./servers/contender.js";
import type { Workspace } from "./workspace.js";

export interface Session {
  readonly contender: Contender;
  readonly openssh: OpenSSH;
  readonly workspace: Workspace;
  readonly keyExchange: string;
  readonly cipher: string;
  readonly command: string;
  /** A file to send as standard input; nothing is sent without it. */
  readonly inputFile?: string;
}

export interface SessionResult {
  /** Standard output, only when an input file was sent: output of any size would otherwise pass through this process. */
  readonly output: string;
  /** Bytes on the wire, and how long the session took from the end of authentication, by the client's own count. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly seconds: number;
}

const mac = "hmac-sha2-256-etm@openssh.com";
const sessionTimeout = 120_000;

/**
 * Runs one command through `ssh`.
 *
 * @throws {Error} when it fails or did not negotiate what the session asks for
 */
export async function runSession(session: Session): Promise<SessionResult> {
  const { contender, openssh, inputFile } = session;
  const input = inputFile === undefined ? "ignore" : openSync(inputFile, "r");
  const child = spawn(openssh.client, sshArguments(session), {
    stdio: [input, inputFile === undefined ? "ignore" : "pipe", "pipe"],
    timeout: sessionTimeout,
    killSignal: "SIGKILL",
  });
  trackChild(child);
  let output = "";
  let log = "";
  child.stdout?.on("data", (data) => {
    output += data;
  });
  child.stderr?.on("data", (data) => {
    log += data;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (typeof input === "number") closeSync(input);
  if (status !== 0) throw new Error(`ssh to ${contender.name} ended with ${status}:\n${log}`);
  expectLine(log, `kex: algorithm: ${session.keyExchange}`);
  expectLine(log, `kex: server->client cipher: ${session.cipher}`);
  expectLine(log, `kex: client->server cipher: ${session.cipher}`);
  return { output, ...transferStatistics(log) };
}

function sshArguments({ contender, workspace, keyExchange, cipher, command }: Session): string[] {
  const options = {
    UserKnownHostsFile: workspace.knownHostsFile,
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: "bench",
    StrictHostKeyChecking: "yes",
    IdentityFile: workspace.userKeyFile,
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    PreferredAuthentications: "publickey",
    BatchMode: "yes",
    KexAlgorithms: keyExchange,
    Ciphers: cipher,
    MACs: mac,
    HostKeyAlgorithms: "ssh-ed25519",
    Compression: "no",
  };
  const optionArguments = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const destination = ["-l", workspace.username, "-p", String(contender.port), "127.0.0.1"];
  // -v for the statistics and the negotiated names; no file of the user's own is read.
  return ["-v", "-T", "-F", "none", ...optionArguments, ...destination, command];
}

function expectLine(log: string, text: string): void {
  if (!log.includes(text)) throw new Error(`ssh did not say "${text}":\n${log}`);
}

function transferStatistics(log: string): Omit<SessionResult, "output"> {
  const totals = /Transferred: sent (\d+), received (\d+) bytes/.exec(log);
  const rates = /Bytes per second: sent ([\d.]+), received ([\d.]+)/.exec(log);
  if (totals === null || rates === null) throw new Error(`ssh gave no statistics:\n${log}`);
  const bytesReceived = Number(totals[2]);
  // The client prints whole tenths of seconds; its rates are more exact.
  return { bytesSent: Number(totals[1]), bytesReceived, seconds: bytesReceived / Number(rates[2]) };
}
