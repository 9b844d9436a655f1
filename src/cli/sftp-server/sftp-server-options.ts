import { UsageError } from "../errors.js";
import { parseChoice, parseText, readArguments } from "../option-values.js";

/** From the least to the most that is logged. */
export const SFTP_LOG_LEVELS = [
  "QUIET",
  "FATAL",
  "ERROR",
  "INFO",
  "VERBOSE",
  "DEBUG",
  "DEBUG1",
  "DEBUG2",
  "DEBUG3",
] as const;
export type SFTPLogLevel = (typeof SFTP_LOG_LEVELS)[number];

const FACILITIES = [
  "DAEMON",
  "USER",
  "AUTH",
  "LOCAL0",
  "LOCAL1",
  "LOCAL2",
  "LOCAL3",
  "LOCAL4",
  "LOCAL5",
  "LOCAL6",
  "LOCAL7",
] as const;
export type Facility = (typeof FACILITIES)[number];

/** The options of `spindlex sftp-server`. */
export interface SFTPServerCommandOptions {
  /** With the tokens `%d`, `%u` and `%%`. */
  readonly startDirectory?: string;
  readonly log: "stderr" | "syslog";
  readonly facility: Facility;
  readonly logLevel: SFTPLogLevel;
  /** Names of requests, not yet looked at. */
  readonly deniedRequests: readonly string[];
  /** The only requests that are allowed, where the list is present. */
  readonly permittedRequests?: readonly string[];
  readonly readOnly: boolean;
  readonly umask?: number;
}

/**
 * Reads the arguments after `spindlex sftp-server`, which are those of OpenSSH's sftp-server(8). Operands are ignored,
 * as there: `scp -D` adds the name of a host and of the subsystem.
 *
 * @throws {UsageError}
 */
export function parseSFTPServer(args: readonly string[]): SFTPServerCommandOptions | "help" | "requests" {
  const values = readSFTPServerArguments(args);
  if (values.h) return "help";
  if (values.Q !== undefined) return parseChoice("-Q", values.Q, ["requests"] as const);
  return {
    log: values.e ? "stderr" : "syslog",
    facility: parseChoice("-f", values.f.toUpperCase(), FACILITIES),
    logLevel: parseChoice("-l", values.l.toUpperCase(), SFTP_LOG_LEVELS),
    deniedRequests: values.P?.split(",") ?? [],
    readOnly: values.R,
    ...(values.p !== undefined && { permittedRequests: values.p.split(",") }),
    ...(values.d !== undefined && { startDirectory: parseStartDirectory(values.d) }),
    ...(values.u !== undefined && { umask: parseUmask(values.u) }),
  };
}

function readSFTPServerArguments(args: readonly string[]) {
  return readArguments(
    "sftp-server",
    {
      args: args.map((argument) => (argument === "--help" ? "-h" : argument)),
      options: {
        d: { type: "string" },
        e: { type: "boolean", default: false },
        f: { type: "string", default: "AUTH" },
        h: { type: "boolean", default: false },
        l: { type: "string", default: "ERROR" },
        P: { type: "string" },
        p: { type: "string" },
        Q: { type: "string" },
        R: { type: "boolean", default: false },
        u: { type: "string" },
      },
      allowPositionals: true,
    },
    ["P", "p"],
  ).values;
}

function parseStartDirectory(text: string): string {
  if (/%([^%du]|$)/.test(text.replaceAll("%%", ""))) {
    throw new UsageError(`-d is '${text}', and the only tokens in it are %d, %u and %%`);
  }
  return parseText("-d", text);
}

function parseUmask(text: string): number {
  const umask = /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  if (!(umask <= 0o777)) throw new UsageError(`-u is '${text}', not an octal number from 0 to 777`);
  return umask;
}
