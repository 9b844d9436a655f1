import { parseArgs } from "node:util";
import { describeError, UsageError } from "./errors.js";

export const LOG_LEVELS = ["error", "warn", "info", "debug", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What `spindlex serve` was asked for; what is absent has a default that depends on the machine. */
export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly user?: string;
  readonly authorizedKeys?: string;
  readonly hostKey?: string;
  readonly allowExec: boolean;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

export type CommandLine =
  | { readonly command: "help"; readonly topic: "general" | "serve" }
  | { readonly command: "version" }
  | { readonly command: "serve"; readonly options: ServeOptions };

/**
 * Reads the arguments after `spindlex`.
 *
 * @throws {UsageError} for an unknown command or option, or a value that cannot be used
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return parseServe(rest);
    case "help":
    case "--help":
    case "-h":
      return { command: "help", topic: rest[0] === "serve" ? "serve" : "general" };
    case "--version":
      return { command: "version" };
    case undefined:
      throw new UsageError("a command is missing (see spindlex --help)");
    default:
      throw new UsageError(`unknown command '${command}' (see spindlex --help)`);
  }
}

function parseServe(args: readonly string[]): CommandLine {
  const values = parseServeValues(args);
  if (values.help) return { command: "help", topic: "serve" };
  return {
    command: "serve",
    options: {
      port: parsePort(values.port),
      host: parseText("--host", values.host),
      allowExec: values["allow-exec"],
      logLevel: parseLogLevel(values["log-level"]),
      json: values.json,
      ...(values.user !== undefined && { user: parseText("--user", values.user) }),
      ...(values["authorized-keys"] !== undefined && {
        authorizedKeys: parseText("--authorized-keys", values["authorized-keys"]),
      }),
      ...(values["host-key"] !== undefined && { hostKey: parseText("--host-key", values["host-key"]) }),
    },
  };
}

function parseServeValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "2222" },
        host: { type: "string", default: "127.0.0.1" },
        user: { type: "string" },
        "authorized-keys": { type: "string" },
        "host-key": { type: "string" },
        "allow-exec": { type: "boolean", default: false },
        "log-level": { type: "string", default: "info" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    const [sentence] = describeError(error).split(". ");
    throw new UsageError(`${sentence} (see spindlex serve --help)`);
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new UsageError(`--port is '${text}', not a number from 0 to 65535`);
  return port;
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text);
  if (level === undefined) throw new UsageError(`--log-level is '${text}', not one of ${LOG_LEVELS.join(", ")}`);
  return level;
}

function parseText(option: string, text: string): string {
  if (text === "") throw new UsageError(`${option} is empty`);
  if (/\p{Cc}/u.test(text)) throw new UsageError(`${option} holds a control character`);
  return text;
}
