import type { ListenAddress } from "../../index.js";
import { UsageError } from "../errors.js";
import { parseChoice, parseText, readArguments } from "../option-values.js";
import { type ForwardingChoice, parseForwarding } from "./forwarding-options.js";
import { parseListen } from "./listen-options.js";

const LOG_LEVELS = ["error", "warn", "info", "debug", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The options of `spindlex serve`. Options that are absent have a default that depends on the machine. */
export interface ServeOptions {
  /** Addresses to listen on. */
  readonly listen?: readonly ListenAddress[];
  /** The folder of the disk that is served; none when absent. */
  readonly folder?: FolderOptions;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly authorizedKeys?: string;
  /** Files of host keys; never empty. */
  readonly hostKeys?: readonly string[];
  readonly trustedUserCAKeys?: string;
  readonly revokedKeys?: string;
  /** Run commands. */
  readonly allowExec: boolean;
  /** Run login shells. */
  readonly shell: boolean;
  /** Nothing is forwarded when absent. */
  readonly forwarding?: ForwardingChoice;
  /** Addresses and networks, separated by commas. */
  readonly allowFrom?: string;
  readonly denyFrom?: string;
  readonly proxyProtocolFrom?: string;
  /** The number of processes that serve; this one serves by itself when absent. */
  readonly workers?: number | "auto";
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

export interface FolderOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** Bytes that all files may hold together. */
  readonly quota?: number;
  readonly atomicUploads?: boolean;
  /** A file of rules: who may do what to which paths. */
  readonly rules?: string;
  /** Each user has a folder of their own in it. */
  readonly homes?: boolean;
  /** Folders that are in each home, by different paths. */
  readonly shared?: readonly SharedFolder[];
}

export interface SharedFolder {
  /** Its place in the homes. */
  readonly path: string;
  readonly folder: string;
  readonly isWritable: boolean;
}

/**
 * Reads the arguments after `spindlex serve`.
 *
 * @throws {UsageError}
 */
export function parseServe(args: readonly string[]): ServeOptions | "help" {
  const { values, positionals } = readServeArguments(args);
  if (values.help) return "help";
  const folder = parseFolder(positionals, values);
  const hasKeys = values["authorized-keys"] !== undefined || values["trusted-user-ca-keys"] !== undefined;
  if (values.user !== undefined && values["password-file"] !== undefined && !hasKeys) {
    throw new UsageError("--user does nothing with --password-file alone: that file names the users");
  }
  if (values["revoked-keys"] !== undefined && !hasKeys) {
    throw new UsageError("--revoked-keys needs --authorized-keys or --trusted-user-ca-keys");
  }
  const forwarding = parseForwarding(values);
  const listen = parseListen(values);
  const workers = values.workers === undefined ? undefined : parseWorkers(values.workers);
  if (workers !== undefined && folder === undefined && !values["allow-exec"] && !values.shell) {
    throw new UsageError(
      "--workers needs a folder, --allow-exec or --shell: files in memory would be of one worker each",
    );
  }
  return {
    ...(listen !== undefined && { listen }),
    allowExec: values["allow-exec"],
    shell: values.shell,
    logLevel: parseChoice("--log-level", values["log-level"], LOG_LEVELS),
    json: values.json,
    ...(folder !== undefined && { folder }),
    ...(workers !== undefined && { workers }),
    ...(forwarding !== undefined && { forwarding }),
    ...(values.user !== undefined && { user: parseText("--user", values.user) }),
    ...(values["password-file"] !== undefined && {
      passwordFile: parseText("--password-file", values["password-file"]),
    }),
    ...(values["authorized-keys"] !== undefined && {
      authorizedKeys: parseText("--authorized-keys", values["authorized-keys"]),
    }),
    ...(values["host-key"] !== undefined && {
      hostKeys: values["host-key"].map((path) => parseText("--host-key", path)),
    }),
    ...(values["trusted-user-ca-keys"] !== undefined && {
      trustedUserCAKeys: parseText("--trusted-user-ca-keys", values["trusted-user-ca-keys"]),
    }),
    ...(values["allow-from"] !== undefined && { allowFrom: values["allow-from"] }),
    ...(values["deny-from"] !== undefined && { denyFrom: values["deny-from"] }),
    ...(values["proxy-protocol-from"] !== undefined && {
      proxyProtocolFrom: values["proxy-protocol-from"],
    }),
    ...(values["revoked-keys"] !== undefined && { revokedKeys: parseText("--revoked-keys", values["revoked-keys"]) }),
  };
}

const MAX_WORKERS = 1024;

function parseWorkers(text: string): number | "auto" {
  if (text === "auto") return text;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MAX_WORKERS) {
    throw new UsageError(`--workers is '${text}', neither auto nor a number from 1 to ${MAX_WORKERS}`);
  }
  return count;
}

/** Their values are lists with commas. */
const LISTS = [
  "allow-from",
  "deny-from",
  "proxy-protocol-from",
  "allow-forwarding",
  "permit-open",
  "permit-listen",
] as const;

function readServeArguments(args: readonly string[]) {
  return readArguments(
    "serve",
    {
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: "string" },
        host: { type: "string" },
        listen: { type: "string", multiple: true },
        "socket-mode": { type: "string" },
        "read-only": { type: "boolean", default: false },
        quota: { type: "string" },
        "atomic-uploads": { type: "boolean", default: false },
        rules: { type: "string" },
        homes: { type: "boolean", default: false },
        shared: { type: "string", multiple: true },
        "shared-writable": { type: "string", multiple: true },
        user: { type: "string" },
        "password-file": { type: "string" },
        "authorized-keys": { type: "string" },
        "host-key": { type: "string", multiple: true },
        "trusted-user-ca-keys": { type: "string" },
        "allow-from": { type: "string" },
        "deny-from": { type: "string" },
        "proxy-protocol-from": { type: "string" },
        "revoked-keys": { type: "string" },
        "allow-exec": { type: "boolean", default: false },
        shell: { type: "boolean", default: false },
        "allow-forwarding": { type: "string" },
        "permit-open": { type: "string" },
        "permit-listen": { type: "string" },
        "gateway-ports": { type: "string" },
        workers: { type: "string" },
        "log-level": { type: "string", default: "info" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    },
    LISTS,
  );
}

function parseFolder(
  [path, ...others]: readonly string[],
  values: {
    readonly "read-only": boolean;
    readonly quota?: string;
    readonly "atomic-uploads": boolean;
    readonly rules?: string;
    readonly homes: boolean;
    readonly shared?: readonly string[];
    readonly "shared-writable"?: readonly string[];
  },
): FolderOptions | undefined {
  const { "read-only": readOnly, quota, "atomic-uploads": atomicUploads, rules, homes } = values;
  if (others.length > 0) throw new UsageError("only one folder can be served (see spindlex serve --help)");
  if (readOnly && atomicUploads) throw new UsageError("--atomic-uploads does nothing with --read-only");
  const shared = parseShared(values);
  if (shared.length > 0 && !homes) throw new UsageError("--shared and --shared-writable need --homes");
  if (readOnly && shared.some(({ isWritable }) => isWritable)) {
    throw new UsageError("--shared-writable does nothing with --read-only");
  }
  if (path !== undefined) {
    return {
      path: parseText("the folder's name", path),
      readOnly,
      ...(quota !== undefined && { quota: parseSize("--quota", quota) }),
      ...(atomicUploads && { atomicUploads }),
      ...(rules !== undefined && { rules: parseText("--rules", rules) }),
      ...(homes && { homes }),
      ...(shared.length > 0 && { shared }),
    };
  }
  for (const [option, isGiven] of [
    ["--read-only", readOnly],
    ["--quota", quota !== undefined],
    ["--atomic-uploads", atomicUploads],
    ["--rules", rules !== undefined],
    ["--homes", homes],
  ] as const) {
    if (isGiven) throw new UsageError(`${option} needs a folder to serve (see spindlex serve --help)`);
  }
  return undefined;
}

/** The options for folders in homes, each `PATH=DIR`. */
function parseShared(values: {
  readonly shared?: readonly string[];
  readonly "shared-writable"?: readonly string[];
}): readonly SharedFolder[] {
  const given = (["shared", "shared-writable"] as const).flatMap((name) =>
    (values[name] ?? []).map((text) => ({ option: `--${name}`, text })),
  );
  const paths = new Set<string>();
  return given.map(({ option, text }) => {
    const [, path, folder] = /^((?:\/[^/=]+)+)=(.+)$/.exec(parseText(option, text)) ?? [];
    if (path === undefined || folder === undefined) {
      throw new UsageError(`${option} is '${text}', not a path in the homes and a folder, as in /docs=/srv/docs`);
    }
    if (paths.has(path)) throw new UsageError(`${path} is shared twice`);
    paths.add(path);
    return { path, folder, isWritable: option === "--shared-writable" };
  });
}

const UNITS = ["", "K", "M", "G", "T"];

/** Bytes, as `500M`: a unit is 1024 of the one before. */
function parseSize(option: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,15})([KMGT]?)$/i.exec(text) ?? [];
  const size = Number(digits) * 1024 ** UNITS.indexOf(unit.toUpperCase());
  if (!Number.isSafeInteger(size)) throw new UsageError(`${option} is '${text}', not a size such as 500M or 10G`);
  return size;
}
