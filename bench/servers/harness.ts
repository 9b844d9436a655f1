import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Workspace } from "../workspace.js";

// What the two Node.js servers share, so that they differ in nothing but the SSH library.

export type ServerQuestion = "cpu" | "memory";
export type ServerReport =
  | { readonly kind: "started"; readonly port: number; readonly description: string }
  | { readonly kind: "cpu"; readonly seconds: number }
  | { readonly kind: "memory"; readonly kibibytes: number };

export interface ServerSettings {
  readonly username: string;
  /** Private key, in OpenSSH's format. */
  readonly hostKey: string;
  /** The one public key that may log in, as a line of authorized_keys. */
  readonly authorizedKey: string;
  /** Blob of the same key (RFC 4253 §6.6). */
  readonly authorizedBlob: Buffer;
  /** The root of what is served over SFTP. */
  readonly servedFolder: string;
}

export function readSettings(): ServerSettings {
  const workspace: Workspace = JSON.parse(process.argv[2] ?? "");
  const authorizedKey = readFileSync(workspace.authorizedKeysFile, "utf8").trim();
  const [, base64 = ""] = authorizedKey.split(" ");
  return {
    username: workspace.username,
    hostKey: readFileSync(workspace.hostKeyFile, "utf8"),
    authorizedKey,
    authorizedBlob: Buffer.from(base64, "base64"),
    servedFolder: workspace.servedFolder,
  };
}

/** Says where the server listens, then answers the bench's questions until the bench is gone. */
export function reportTo(
  bench: NodeJS.Process,
  started: { readonly port: number; readonly description: string },
): void {
  const send = (report: ServerReport) => bench.send?.(report);
  bench.on("message", async (question: ServerQuestion) => {
    if (question === "cpu") send({ kind: "cpu", seconds: cpuSeconds() });
    else send({ kind: "memory", kibibytes: await residentKiB() });
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

/** Whether a command is one for the machine's shell. */
export function isProgram(command: string): boolean {
  return command.startsWith("true") || command.startsWith("head ");
}

/** Runs `output N` or `input` on a channel and calls `finish` when all is written. */
export function runCommand(channel: Duplex, command: string, finish: () => void): void {
  const [verb, count] = command.split(" ");
  if (verb === "output") writeOutput(channel, Number(count), finish);
  else countInput(channel, finish);
}

function writeOutput(channel: Duplex, bytes: number, finish: () => void): void {
  let remaining = bytes;
  const writeMore = () => {
    while (remaining > chunk.length) {
      remaining -= chunk.length;
      if (!channel.write(chunk)) {
        channel.once("drain", writeMore);
        return;
      }
    }
    channel.write(chunk.subarray(0, remaining), () => finish());
  };
  writeMore();
}

function countInput(channel: Duplex, finish: () => void): void {
  let bytes = 0;
  channel.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  channel.on("end", () => channel.write(`${bytes}\n`, () => finish()));
}
