import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../base/another-copy.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { checkHookNames } from "../base/hook-names.js";
import { LineLimit } from "../base/line-limit.js";
import { type Logger, type LoggerOption, resolveLogger } from "../base/logger.js";
import {
  checkFlag,
  checkInteger,
  checkLimit,
  checkNumber,
  checkOptions,
  kindOf,
  LONGEST_TIME,
} from "../base/option-checks.js";
import { VERSION } from "../base/version.js";
import type { HostKey } from "../crypto/pkey/host-key.js";
import { PKey } from "../crypto/pkey/pkey.js";
import { ServerForwarding } from "../forwarding/server-forwarding.js";
import type { SessionHooks } from "../session/session-requests.js";
import { type AlgorithmPreferences, type AlgorithmsOption, resolveAlgorithms } from "../transport/algorithms.js";
import { serverRole } from "../transport/server-role.js";
import type { TransportOptions } from "../transport/transport.js";
import {
  ADMISSION_OPTIONS,
  type AdmissionOptions,
  type AdmissionSettings,
  resolveAdmission,
} from "./admission/options.js";
import { announcedHostKeys, encodeHostKeys } from "./host-keys/host-key-announcement.js";
import { isHostKey } from "./host-keys/host-key-checks.js";
import { checkListenAddresses, checkPort, type ListenAddress, type Place } from "./listeners/listen-address.js";
import { bindSessionHooks } from "./session-hooks.js";
import {
  resolveSessionLimits,
  SESSION_LIMIT_OPTIONS,
  type SessionLimitOptions,
  type SessionLimitSettings,
} from "./session-limits.js";
import { SessionRunner } from "./session-runner.js";
import { SSHServer, sessionsOf } from "./ssh-server.js";

/** Largest window the protocol can express, bytes (RFC 4254 §5.2). */
const LARGEST_WINDOW = 2 ** 32 - 1;

/** Bytes of host keys that every client can take in one message (RFC 4253 §6.1). */
const MAX_ANNOUNCEMENT = 32_000;

/** Milliseconds between two warnings of a kind that clients can cause. */
const WARNING_INTERVAL = 60_000;

/** The options of a server that its hooks, its keys and its address do not belong to. */
export interface GeneralOptions extends AdmissionOptions, SessionLimitOptions {
  /**
   * Whether clients that have logged in are told all host keys and can have them proven, so that they know a new key
   * before it is used (OpenSSH PROTOCOL §2.5). Default true.
   */
  readonly announceHostKeys?: boolean;
  readonly algorithms?: AlgorithmsOption;
  /**
   * A pino logger, or anything with its methods `debug`, `info`, `warn` and `error`. A level, such as `"info"`, is lines
   * on standard error from this level on; `false` is silence. By default warnings and errors are such lines.
   */
  readonly logger?: LoggerOption;
  /** Connections that may be open together, logged in or not. Default 1000. See `maxStartups` too. */
  readonly maxConnections?: number;
  /** Seconds from accepting a connection to the end of its first key exchange. Default 30. */
  readonly connectionTimeout?: number;
  /** Seconds from the end of the first key exchange to a login. Default 120. */
  readonly authTimeout?: number;
  /** Refused authentication requests after which a connection ends. Default 6. */
  readonly maxAuthTries?: number;
  /** Least time a refused password or dialogue takes, seconds. Default 1. */
  readonly authFailureDelay?: number;
  /** Channels that one connection may have. Default 64. */
  readonly maxChannels?: number;
  /** Bytes of unread data to which a channel's window may grow. Default 10 MiB. */
  readonly maxWindowSize?: number;
  /** Seconds of silence after which the client is asked for a sign of life; `false` is never. Default `false`. */
  readonly clientAliveInterval?: number | false;
  /** Signs of life that may be missed; `false` is any number. Default 3. */
  readonly clientAliveCountMax?: number | false;
  /** The limits after which new keys are made: so many bytes in one direction (default 1 GiB) or seconds (default 3600). */
  readonly rekeyLimit?: { readonly bytes?: number; readonly seconds?: number };
}

/** Options of `SSHServerManager`. */
export interface SSHServerManagerOptions extends GeneralOptions {
  /** The hooks that decide. */
  readonly serverInterface: SSHServer;
  /** The host key, or with `serverKeys` several: of each type the first is used, and the others are announced. */
  readonly serverKey?: HostKey;
  /** Several host keys, in place of `serverKey`. */
  readonly serverKeys?: readonly HostKey[];
  /** Address to listen on; `::` takes IPv4 too. Default `0.0.0.0`. */
  readonly bindAddress?: string;
  /** Port to listen on; 0 lets the system choose. Default 22. */
  readonly port?: number;
  /**
   * Addresses to listen on, in place of `bindAddress` and `port`: on all of them or none. The limits are for all together. A
   * client that comes by a socket of the file system has no address: `allowFrom` lets none in there, and no limit for sources
   * holds.
   */
  readonly listen?: ListenAddress | readonly ListenAddress[];
}

/** The options of a manager that are not about its hooks, its keys and its address. */
export const GENERAL_OPTIONS: readonly (keyof GeneralOptions)[] = [
  "announceHostKeys",
  "algorithms",
  "logger",
  "maxConnections",
  "connectionTimeout",
  "authTimeout",
  "maxAuthTries",
  "authFailureDelay",
  "maxChannels",
  "maxWindowSize",
  "clientAliveInterval",
  "clientAliveCountMax",
  "rekeyLimit",
  ...ADMISSION_OPTIONS,
  ...SESSION_LIMIT_OPTIONS,
];

export const MANAGER_OPTIONS: readonly (keyof SSHServerManagerOptions)[] = [
  "serverInterface",
  "serverKey",
  "serverKeys",
  "bindAddress",
  "port",
  "listen",
  ...GENERAL_OPTIONS,
];

const ALL_ADDRESSES = "0.0.0.0";

/** Limits that a manager has been given by its setters. */
export type SetLimits = Pick<SSHServerManagerOptions, "maxConnections" | "connectionTimeout" | "authTimeout">;

/** Options of a manager, checked and complete. */
export interface ServerSettings extends GeneralSettings {
  readonly server: SSHServer;
  readonly sessionHooks: SessionHooks;
  readonly sessionRunner: SessionRunner;
  readonly forwarding: ServerForwarding;
  readonly hostKeys: readonly HostKey[];
  readonly transport: TransportOptions;
  /** The host keys that clients may learn and have proven. */
  readonly announcedHostKeys: readonly HostKey[];
}

/** Those that do not depend on hooks and keys. Times are in milliseconds unless their name says seconds. */
export interface GeneralSettings {
  readonly announceHostKeys: boolean;
  readonly algorithms: AlgorithmPreferences;
  readonly logger: Logger;
  /** One limit for all connections: a warning that each of them causes would hide everything else. */
  readonly warnings: LineLimit;
  readonly identification: string;
  readonly maxConnections: number;
  readonly connectionTimeout: number;
  readonly authTimeout: number;
  readonly maxAuthTries: number;
  readonly authFailureDelay: number;
  readonly maxChannels: number;
  readonly maxWindowSize: number;
  /** Seconds. */
  readonly clientAliveInterval: number;
  readonly clientAliveCountMax: number;
  readonly rekeyBytes: number;
  readonly rekeySeconds: number;
  readonly admission: AdmissionSettings;
  readonly sessionLimits: SessionLimitSettings;
}

function checkServerInterface(value: unknown): void {
  if (value instanceof SSHServer) return;
  const reason = isOfAnotherCopy(value, SSHServer)
    ? OF_ANOTHER_COPY
    : "must be an object whose class extends SSHServer";
  throw new ConfigurationError("serverInterface", reason);
}

/**
 * @param limits in place of options that are not given
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function resolveSettings(given: SSHServerManagerOptions, limits: SetLimits = {}): ServerSettings {
  const options: SSHServerManagerOptions = { ...limits, ...checkOptions(given, MANAGER_OPTIONS) };
  checkServerInterface(options.serverInterface);
  const general = resolveGeneralSettings(options);
  const { identification, algorithms, rekeyBytes, logger, maxChannels } = general;
  checkHookNames("serverInterface", options.serverInterface, SSHServer, logger);
  const hostKeys = checkHostKeys(options, algorithms);
  const sessionRunner = new SessionRunner(sessionsOf(options.serverInterface), logger);
  return {
    ...general,
    server: options.serverInterface,
    sessionHooks: bindSessionHooks(options.serverInterface, sessionRunner),
    sessionRunner,
    forwarding: new ServerForwarding(options.serverInterface.forwarding, maxChannels),
    hostKeys,
    transport: { role: serverRole(hostKeys), identification, algorithms, rekeyBytes },
    announcedHostKeys: general.announceHostKeys ? checkAnnouncement(hostKeys, algorithms) : [],
  };
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveGeneralSettings(options: GeneralOptions): GeneralSettings {
  const rekeyLimit = checkOptions(options.rekeyLimit ?? {}, ["bytes", "seconds"], "rekeyLimit");
  return {
    announceHostKeys: checkFlag("announceHostKeys", options.announceHostKeys ?? true),
    algorithms: resolveAlgorithms(options.algorithms ?? "default"),
    logger: resolveLogger(options.logger),
    warnings: new LineLimit(1, WARNING_INTERVAL),
    identification: `SSH-2.0-spindlex_${VERSION}`,
    maxConnections: checkMaxConnections(options.maxConnections ?? 1000),
    connectionTimeout: checkTimeout("connectionTimeout", options.connectionTimeout ?? 30),
    authTimeout: checkTimeout("authTimeout", options.authTimeout ?? 120),
    maxAuthTries: checkInteger("maxAuthTries", options.maxAuthTries ?? 6, 1, 100),
    authFailureDelay: 1000 * checkNumber("authFailureDelay", options.authFailureDelay ?? 1, 0, 60),
    maxChannels: checkInteger("maxChannels", options.maxChannels ?? 64, 1, 65_536),
    maxWindowSize: checkInteger("maxWindowSize", options.maxWindowSize ?? 10 * 1024 * 1024, 32 * 1024, LARGEST_WINDOW),
    clientAliveInterval: checkLimit(
      "clientAliveInterval",
      options.clientAliveInterval ?? false,
      0.001,
      LONGEST_TIME,
      checkNumber,
    ),
    clientAliveCountMax: checkLimit("clientAliveCountMax", options.clientAliveCountMax ?? 3, 1, 1000),
    rekeyBytes: checkInteger("rekeyLimit.bytes", rekeyLimit.bytes ?? 2 ** 30, 64 * 1024, Number.MAX_SAFE_INTEGER),
    rekeySeconds: checkNumber("rekeyLimit.seconds", rekeyLimit.seconds ?? 3600, 1, LONGEST_TIME),
    admission: resolveAdmission(options),
    sessionLimits: resolveSessionLimits(options),
  };
}

/**
 * The addresses to listen on.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function placesOf({ listen, bindAddress, port }: SSHServerManagerOptions): readonly Place[] {
  if (listen === undefined) {
    return [checkPort(bindAddress ?? ALL_ADDRESSES, port ?? 22, { host: "bindAddress", port: "port" })];
  }
  if (bindAddress !== undefined || port !== undefined) {
    throw new ConfigurationError("listen", "cannot be given together with bindAddress or port");
  }
  return checkListenAddresses("listen", listen, ALL_ADDRESSES);
}

/** @throws {ConfigurationError} */
export function checkMaxConnections(count: number): number {
  return checkInteger("maxConnections", count, 1, 1_000_000);
}

/**
 * @param seconds that something may take before a login
 * @returns milliseconds
 * @throws {ConfigurationError}
 */
export function checkTimeout(option: "connectionTimeout" | "authTimeout", seconds: number): number {
  return 1000 * checkNumber(option, seconds, 0.001, 86_400);
}

function checkHostKeys(options: SSHServerManagerOptions, algorithms: AlgorithmPreferences): readonly HostKey[] {
  if (options.serverKey !== undefined && options.serverKeys !== undefined) {
    throw new ConfigurationError("serverKeys", "cannot be given together with serverKey");
  }
  const option = options.serverKeys === undefined ? "serverKey" : "serverKeys";
  const keys = options.serverKeys ?? (options.serverKey === undefined ? [] : [options.serverKey]);
  if (!(keys.length > 0)) throw new ConfigurationError(option, "at least one host key is needed");
  for (const key of keys) {
    if (!isHostKey(key)) {
      throw new ConfigurationError(option, `must be a PKey or another HostKey, not ${kindOf(key)}`);
    }
    if ("hasPrivateKey" in key && key.hasPrivateKey === false) {
      throw new ConfigurationError(option, `the ${key.keyType} key has no private half`);
    }
    if (key instanceof PKey && key.certificate !== undefined && key.certificate.type !== "host") {
      throw new ConfigurationError(option, "the certificate is one for users, not for hosts");
    }
  }
  for (const [index, { keyType, publicBlob }] of keys.entries()) {
    if (keys.findIndex((key) => key.publicBlob.equals(publicBlob)) !== index) {
      throw new ConfigurationError(option, `the same ${keyType} key is given twice`);
    }
  }
  if (!keys.some((key) => key.signatureAlgorithms.some((name) => algorithms.hostKey.includes(name)))) {
    const types = keys.map((key) => key.keyType).join(", ");
    throw new ConfigurationError(option, `none of the host keys (${types}) can be used with the chosen algorithms`);
  }
  return keys;
}

function checkAnnouncement(hostKeys: readonly HostKey[], algorithms: AlgorithmPreferences): readonly HostKey[] {
  const announced = announcedHostKeys(hostKeys, algorithms.hostKey);
  if (encodeHostKeys(announced).length > MAX_ANNOUNCEMENT) {
    throw new ConfigurationError("serverKeys", "are too many to be announced in one message");
  }
  return announced;
}
