import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { clientLog, destination, type Login, loginArguments } from "./login.js";

export interface Session extends Login {
  readonly command: string;
  /** A file to send as standard input; nothing is sent without it. */
  readonly inputFile?: string;
  /** Whether the command gets a terminal. */
  readonly terminal?: boolean;
}

export interface SessionResult {
  /** Standard output, only when an input file was sent: output of any size would otherwise pass through this process. */
  readonly output: string;
  /** Bytes on the wire, and how long the session took from the end of authentication, by the client's own count. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly seconds: number;
}

export interface ForwardResult {
  readonly bytesReceived: number;
  /** What came last, if it was short. */
  readonly lastOutput: string;
  /** From the end of authentication to the end of the client. */
  readonly seconds: number;
}

export interface SFTPResult {
  readonly output: string;
  /** From the start of the first command to the end of the last. */
  readonly seconds: number;
}

const sessionTimeout = 300_000;
/** No count of bytes is that long. */
const maxCountLength = 100;

/**
 * Runs one command through `ssh`.
 *
 * @throws {Error} when it fails or did not negotiate what the session asks for
 */
export async function runSession(session: Session): Promise<SessionResult> {
  const { openssh, inputFile, terminal = false } = session;
  const input = inputFile === undefined ? "ignore" : openSync(inputFile, "r");
  const child = spawn(
    openssh.client,
    [terminal ? "-tt" : "-T", ...loginArguments(session), destination, session.command],
    {
      stdio: [input, inputFile === undefined ? "ignore" : "pipe", "pipe"],
      timeout: sessionTimeout,
      killSignal: "SIGKILL",
    },
  );
  let output = "";
  child.stdout?.on("data", (data) => {
    output += data;
  });
  const log = await clientLog(child, session);
  if (typeof input === "number") closeSync(input);
  return { output, ...transferStatistics(log) };
}

/**
 * Lets the server connect `ssh -W` to a port of this machine.
 *
 * @param inputFile to send, if any
 * @throws {Error} when it fails or did not negotiate what the login asks for
 */
export async function runForward(login: Login, port: number, inputFile: string | undefined): Promise<ForwardResult> {
  const input = inputFile === undefined ? "ignore" : openSync(inputFile, "r");
  const parameters = ["-W", `${destination}:${port}`, ...loginArguments(login), destination];
  const child = spawn(login.openssh.client, parameters, {
    stdio: [input, "pipe", "pipe"],
    timeout: sessionTimeout,
    killSignal: "SIGKILL",
  });
  let startedAt: number | undefined;
  let bytesReceived = 0;
  let lastOutput = "";
  // The client gives no statistics of this.
  child.stderr?.on("data", (data) => {
    if (String(data).includes("Entering interactive session")) startedAt = performance.now();
  });
  child.stdout?.on("data", (data) => {
    bytesReceived += data.length;
    lastOutput = data.length < maxCountLength ? String(data) : "";
  });
  await clientLog(child, login);
  if (typeof input === "number") closeSync(input);
  if (startedAt === undefined) throw new Error("ssh did not say when its session began");
  return { bytesReceived, lastOutput, seconds: (performance.now() - startedAt) / 1000 };
}

/**
 * Runs commands through `sftp`, in one session.
 *
 * @param options of the client, beside those for the login
 * @throws {Error} when one fails or the session was not negotiated as the login asks for
 */
export async function runSFTP(
  login: Login,
  commands: readonly string[],
  options: readonly string[] = [],
): Promise<SFTPResult> {
  const { openssh } = login;
  const parameters = ["-b", "-", "-S", openssh.client, ...options, ...loginArguments(login), destination];
  const child = spawn(openssh.sftpClient, parameters, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: sessionTimeout,
    killSignal: "SIGKILL",
  });
  // In batch mode the client prints each command as it comes to it.
  const chunks: Buffer[] = [];
  let startedAt: number | undefined;
  let endedAt = 0;
  // Kept as it comes: text made of it here would cost more of the machine than the listing does.
  child.stdout.on("data", (data: Buffer) => {
    chunks.push(data);
    endedAt = performance.now();
    startedAt ??= endedAt;
  });
  child.stdin.end([...commands, "bye", ""].join("\n"));
  await clientLog(child, login);
  const output = Buffer.concat(chunks).toString("utf8");
  if (startedAt === undefined || !output.endsWith("sftp> bye\n")) {
    throw new Error(`sftp did not print its commands:\n${output}`);
  }
  return { output, seconds: (endedAt - startedAt) / 1000 };
}

function transferStatistics(log: string): Omit<SessionResult, "output"> {
  const totals = /Transferred: sent (\d+), received (\d+) bytes/.exec(log);
  const rates = /Bytes per second: sent ([\d.]+), received ([\d.]+)/.exec(log);
  if (totals === null || rates === null) throw new Error(`ssh gave no statistics:\n${log}`);
  const bytesReceived = Number(totals[2]);
  // The client prints whole tenths of seconds; its rates are more exact.
  return { bytesSent: Number(totals[1]), bytesReceived, seconds: bytesReceived / Number(rates[2]) };
}
