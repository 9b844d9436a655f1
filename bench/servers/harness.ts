import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { cpuSecondsWithReapedChildren, proportionalSetSizeKiB } from "../processes.js";
import type { Workspace } from "../workspace.js";
import { echoIsReady } from "./contender.js";

// What the two Node.js servers share, so that they differ in nothing but the SSH library.

export type ServerQuestion = "cpu" | "memory";
export type ServerReport =
  | { readonly kind: "started"; readonly port: number; readonly description: string }
  | { readonly kind: "cpu"; readonly seconds: number }
  | { readonly kind: "memory"; readonly kibibytes: number };

export interface AuthorizedKey {
  /** As in authorized_keys. */
  readonly line: string;
  /** The same as a blob (RFC 4253 §6.6). */
  readonly blob: Buffer;
}

export interface ServerSettings {
  readonly username: string;
  /** Private key, in OpenSSH's format. */
  readonly hostKey: string;
  /** The public keys that may log in. */
  readonly authorizedKeys: readonly AuthorizedKey[];
  /** The public key of an authority whose certificates may, too. */
  readonly authorityFile: string;
  /** The root of what is served over SFTP. */
  readonly servedFolder: string;
}

export function readSettings(): ServerSettings {
  const workspace: Workspace = JSON.parse(process.argv[2] ?? "");
  const lines = readFileSync(workspace.authorizedKeysFile, "utf8").trim().split("\n");
  return {
    username: workspace.username,
    hostKey: readFileSync(workspace.hostKeyFile, "utf8"),
    authorizedKeys: lines.map((line) => ({ line, blob: Buffer.from(line.split(" ")[1] ?? "", "base64") })),
    authorityFile: workspace.authorityFile,
    servedFolder: workspace.servedFolder,
  };
}

/**
 * Says where the server listens, then answers the bench's questions until the bench is gone.
 *
 * @param workers the processes that serve together with this one
 */
export function reportTo(
  bench: NodeJS.Process,
  started: { readonly port: number; readonly description: string },
  workers: readonly number[] = [],
): void {
  const send = (report: ServerReport) => bench.send?.(report);
  bench.on("message", async (question: ServerQuestion) => {
    const ofWorkers = (count: (pid: number) => number) => workers.reduce((sum, pid) => sum + count(pid), 0);
    if (question === "cpu") send({ kind: "cpu", seconds: cpuSeconds() + ofWorkers(cpuSecondsWithReapedChildren) });
    else send({ kind: "memory", kibibytes: (await residentKiB()) + ofWorkers(proportionalSetSizeKiB) });
  });
  bench.on("disconnect", () => process.exit(0));
  bench.on("SIGTERM", () => process.exit(0));
  send({ kind: "started", ...started });
}

/** utime + stime of all threads: as in /proc/PID/stat, in microseconds instead of ticks. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The smallest of several samples: V8 and malloc give memory back some time after a collection. */
async function residentKiB(): Promise<number> {
  const samples: number[] = [];
  for (let sample = 0; sample < 8; sample++) {
    globalThis.gc?.();
    await delay(100);
    samples.push(process.memoryUsage.rss() / 1024);
  }
  return Math.min(...samples);
}

const chunk = Buffer.alloc(64 * 1024);
const smallChunk = Buffer.alloc(1024);

/** Whether a command is one for the machine's shell. */
export function isProgram(command: string): boolean {
  return ["true", "head", "stty"].some((program) => command.split(" ", 1)[0] === program);
}

/** Runs `output N`, `small N`, `later N`, `echo` or `input` on a channel and calls `finish` when all is written. */
export function runCommand(channel: Duplex, command: string, finish: () => void): void {
  const [verb, count] = command.split(" ");
  if (verb === "output") writeOutput(channel, Number(count), chunk, finish);
  else if (verb === "small") writeOutput(channel, Number(count), smallChunk, finish);
  else if (verb === "later") writeLater(channel, Number(count), finish);
  else if (verb === "echo") echo(channel, finish);
  else countInput(channel, finish);
}

function writeOutput(channel: Duplex, bytes: number, part: Buffer, finish: () => void): void {
  let remaining = bytes;
  const writeMore = () => {
    while (remaining > part.length) {
      remaining -= part.length;
      if (!channel.write(part)) {
        channel.once("drain", writeMore);
        return;
      }
    }
    channel.write(part.subarray(0, remaining), () => finish());
  };
  writeMore();
}

/** Writes when something comes, and finishes when the client does. */
function writeLater(channel: Duplex, bytes: number, finish: () => void): void {
  channel.once("data", () => writeOutput(channel, bytes, chunk, () => {}));
  channel.on("end", () => finish());
}

/** Sends back what comes. */
function echo(channel: Duplex, finish: () => void): void {
  channel.write(echoIsReady);
  channel.on("data", (data: Buffer) => channel.write(data));
  channel.on("end", () => finish());
}

function countInput(channel: Duplex, finish: () => void): void {
  let bytes = 0;
  channel.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  channel.on("end", () => channel.write(`${bytes}\n`, () => finish()));
}
