import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ConnectionStats } from "../src/index.js";
import { compilePrograms } from "./compile.js";
import { ATTACKS } from "./siege-attacks.js";

// `npm run siege [connections] [sources]`: hostile connections from many addresses against one server, while somebody logs
// in each second. Fails if one of those logins fails or takes a second, or if the server does not let go of everything.

const CONNECTIONS = Number(process.argv[2] ?? 50_000);
const SOURCES = Number(process.argv[3] ?? 10_000);
/** Connections begun in a second. */
const RATE = 300;
const MAX_LATENCY = 1000;
const MAX_GROWTH_MIB = 64;

interface Report {
  /** After a garbage collection. */
  readonly bytesInUse: number;
  /** Longest delay of the server's event loop, milliseconds. */
  readonly longestTurn: number;
  readonly processorSeconds: number;
  readonly stats: ConnectionStats;
  readonly timers: number;
  readonly sockets: number;
}

async function ask(server: ChildProcess): Promise<Report> {
  const answer = once(server, "message");
  server.send("report");
  const [report] = (await answer) as [Report];
  return report;
}

function residentMiB(pid: number | undefined): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kib) / 1024;
}

/** One of 127.10.0.0/16 and those behind it. */
function sourceAddress(index: number): string {
  const source = index % SOURCES;
  return `127.${10 + (source >> 16)}.${(source >> 8) & 0xff}.${source & 0xff}`;
}

/** The kinds of attack in the order of a thousand connections, mixed. */
function attackOrder(): readonly string[] {
  const waiting = Object.entries(ATTACKS).map(([name, { share }]) => ({ name, share, credit: 0 }));
  return Array.from({ length: 1000 }, () => {
    for (const kind of waiting) kind.credit += kind.share;
    const next = waiting.reduce((best, kind) => (kind.credit > best.credit ? kind : best));
    next.credit -= 1000;
    return next.name;
  });
}

const server = fork(join(compilePrograms(), "servers/besieged.js"), { execArgv: ["--expose-gc"] });
const [{ port }] = (await once(server, "message")) as [{ port: number }];
const visitor = fork(fileURLToPath(new URL("siege-visitor.ts", import.meta.url)), [String(port)]);
const latencies: number[] = [];
visitor.on("message", (took: number) => latencies.push(took));

await sleep(8000);
const { bytesInUse: inUseBefore } = await ask(server);
const residentBefore = residentMiB(server.pid);
latencies.length = 0;
let [peak, mostActive, cutOff] = [0, 0, 0];
const sampler = setInterval(() => {
  peak = Math.max(peak, residentMiB(server.pid));
}, 500);

const order = attackOrder();
const underway = new Set<Promise<void>>();
const started = performance.now();
let due = started;
for (let index = 0; index < CONNECTIONS; index++) {
  const { attack } = ATTACKS[order[index % order.length] ?? ""] ?? { attack: async () => {} };
  const one = attack({ port, localAddress: sourceAddress(index) })
    .catch(() => {
      cutOff++;
    })
    .finally(() => underway.delete(one));
  underway.add(one);
  mostActive = Math.max(mostActive, underway.size);
  // On a machine that is busy with other things it takes longer, rather than come in bursts.
  due = Math.max(due + 1000 / RATE, performance.now() - 100);
  if (due - performance.now() > 5) await sleep(due - performance.now());
}
await Promise.all(underway);
const seconds = (performance.now() - started) / 1000;
clearInterval(sampler);
const visits = [...latencies];
visitor.disconnect();
await sleep(3000);
const { stats, bytesInUse, timers, sockets, longestTurn, processorSeconds } = await ask(server);
const residentAfter = residentMiB(server.pid);
server.disconnect();

const sorted = visits.toSorted((a, b) => a - b);
const at = (share: number) =>
  `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)} ms`;
const failed = visits.filter((took) => took < 0).length;
console.table({
  "hostile connections": CONNECTIONS,
  "from addresses": SOURCES,
  seconds: Math.round(seconds),
  "most at a time": mostActive,
  "accepted by the server": stats.accepted,
  "refused by the server": JSON.stringify(Object.fromEntries(Object.entries(stats.refusedBy).filter(([, n]) => n > 0))),
  "cut off before their end": cutOff,
  "logins meanwhile": visits.length,
  "of them failed": failed,
  "login with a command, median": at(0.5),
  "99 of 100": at(0.99),
  "the slowest three": sorted.slice(-3).map(Math.round).join(", "),
  "longest turn of the server": `${Math.round(longestTurn)} ms`,
  "processor time of the server": `${processorSeconds.toFixed(1)} s`,
  "resident before": `${residentBefore.toFixed(1)} MiB`,
  "at the peak": `${peak.toFixed(1)} MiB`,
  "at the end": `${residentAfter.toFixed(1)} MiB`,
  "in use before and at the end": `${(inUseBefore / 2 ** 20).toFixed(1)}, ${(bytesInUse / 2 ** 20).toFixed(1)} MiB`,
  "left: connections, sockets, timers": `${stats.active}, ${sockets}, ${timers}`,
});
const held =
  failed === 0 &&
  (sorted.at(-1) ?? MAX_LATENCY) < MAX_LATENCY &&
  peak - residentBefore < MAX_GROWTH_MIB &&
  stats.active + stats.startups + sockets === 0;
console.log(held ? "The server has held." : "The server has not held.");
process.exitCode = held ? 0 : 1;
