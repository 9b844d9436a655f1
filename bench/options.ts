import { parseArgs } from "node:util";
import { type ContenderName, contenderNames } from "./servers/contender.js";

export interface BenchOptions {
  /** How often each case is measured on each contender; the table shows medians. */
  readonly rounds: number;
  /** Bytes sent in each throughput measurement. */
  readonly transferBytes: number;
  /** Connections in each connect measurement. */
  readonly connects: number;
  /** Connections before the first that counts, for each process of the server. */
  readonly warmUpConnects: number;
  /** Single bytes sent and awaited in each latency measurement. */
  readonly echoes: number;
  /** Idle connections held open on each of the Node.js servers. */
  readonly idleConnections: number;
  /** Whether many connections are measured, in the place of everything else. */
  readonly scale: boolean;
  /** Processes of the spindlex server; one by itself where this is 0. */
  readonly workers: number;
  /** Only cases whose name contains one of these; all when empty. */
  readonly only: readonly string[];
  readonly contenders: readonly ContenderName[];
  /** Where to write the samples and medians as JSON. */
  readonly jsonFile: string | undefined;
}

export const helpText = `Usage: npm run bench -- [options]

Measures a spindlex server, the same server on ssh2 and OpenSSH's sshd side by side, with the real ssh as client.
Everything runs on loopback; medians over interleaved rounds. Needs Linux, ssh, sftp, ssh-keygen, sshd, mkfifo and diff;
the files for SFTP are in /dev/shm if they fit. docs/performance.md describes the cases.

  --only <text>        only cases whose name contains the text (chacha20, "input aes128-gcm", "at once", echo, forward,
                       "sftp get", cold, program, connect, "4 clients", "login by", idle); repeatable
  --contender <name>   only this contender: ${contenderNames.join(", ")}; repeatable
  --scale              other cases: 10, 100 and 1,000 connections with 1, 16 and 64 channels each
  --workers <n>        spindlex serves with so many workers (connect and output are of interest then)
  --connects <n>       connections in each measurement of what one costs (default 15): 300 for a difference of per cents
  --warm-up <n>        connections before that, for each process of the server (default 50): 1000 until all is compiled
  --rounds <n>         rounds per case (default 3; 1 of --scale, and always 1 over a 100 ms path)
  --mib <n>            MiB per transfer (default 512)
  --quick              one round, 64 MiB, fewer connections: a first impression, not a result
  --json <file>        write every sample and the medians as JSON
  --help               this text

npm run bench:pages -- <file>... writes the tables of such JSON files into docs/performance.md and docs/overview.md.
`;

/** @throws {TypeError} when an option is unknown or its value makes no sense */
export function parseOptions(argv: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true, default: [] },
      contender: { type: "string", multiple: true, default: [] },
      workers: { type: "string" },
      connects: { type: "string" },
      "warm-up": { type: "string" },
      rounds: { type: "string" },
      mib: { type: "string" },
      quick: { type: "boolean", default: false },
      scale: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const defaults = values.quick
    ? { rounds: 1, mebibytes: 64, connects: 10, echoes: 300, idleConnections: 200 }
    : { rounds: 3, mebibytes: 512, connects: 15, echoes: 1500, idleConnections: 1000 };
  return {
    // Many connections take minutes, and vary little.
    rounds: positiveInteger("--rounds", values.rounds) ?? (values.scale ? 1 : defaults.rounds),
    transferBytes: (positiveInteger("--mib", values.mib) ?? defaults.mebibytes) * 1024 * 1024,
    connects: positiveInteger("--connects", values.connects) ?? defaults.connects,
    warmUpConnects: positiveInteger("--warm-up", values["warm-up"]) ?? 50,
    echoes: defaults.echoes,
    idleConnections: defaults.idleConnections,
    scale: values.scale,
    workers: positiveInteger("--workers", values.workers) ?? 0,
    only: values.only,
    contenders: chosenContenders(values.contender),
    jsonFile: values.json,
  };
}

function positiveInteger(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new TypeError(`${option} must be a positive integer, not "${text}"`);
  return Number(text);
}

function chosenContenders(names: readonly string[]): readonly ContenderName[] {
  const unknown = names.find((name) => !contenderNames.some((contender) => contender === name));
  if (unknown !== undefined)
    throw new TypeError(`--contender must be one of ${contenderNames.join(", ")}: "${unknown}"`);
  return names.length === 0 ? contenderNames : contenderNames.filter((contender) => names.includes(contender));
}
