import { resolve } from "node:path";
import { packetsSealedBy } from "../../crypto/index.js";
import {
  type BoundAddress,
  ConfigurationError,
  type ListenAddress,
  type SystemdNotifier,
  type SystemdSocket,
  systemdSockets,
} from "../../index.js";
import { describeError, StartError } from "../errors.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./listen-options.js";
import type { Log } from "./log.js";
import type { ServeOptions } from "./serve-options.js";
import type { Service } from "./service.js";
import { formatStartReport, formatStartReportAsJson } from "./start-report.js";

/** What listens: a manager, or workers. */
interface Started {
  readonly addresses: readonly BoundAddress[];
  readonly workers?: readonly object[];
}

/**
 * The sockets that systemd has opened; to be called once, by the process that it has started.
 *
 * @throws {ConfigurationError} when what tells of them cannot be understood
 */
export function openedSockets(logger: Log): readonly SystemdSocket[] {
  const { LISTEN_PID: intended } = process.env;
  const sockets = systemdSockets();
  if (intended !== undefined && sockets.length === 0) {
    logger.warn({ LISTEN_PID: intended, pid: process.pid }, "systemd has opened no sockets for this process");
  }
  return sockets;
}

/** Sockets that are open already are in the place of the default, and beside what the command line names. */
export function placesOf({ listen }: ServeOptions, sockets: readonly SystemdSocket[]): readonly ListenAddress[] {
  if (sockets.length > 0) return [...sockets, ...(listen ?? [])];
  return listen ?? [{ host: DEFAULT_HOST, port: DEFAULT_PORT }];
}

/** Prints what a person or a script needs to connect. */
export function reportStart(service: Service, { addresses, workers }: Started, options: ServeOptions): void {
  const { folder, hostKeys, users } = service;
  const [fingerprint = "", ...otherFingerprints] = hostKeys.map((key) => key.fingerprint());
  const facts = {
    addresses,
    fingerprint,
    otherFingerprints,
    packetsSealedBy: packetsSealedBy(),
    ...(workers !== undefined && { workers: workers.length }),
    user: users.example,
    ...(options.folder && { folder: { ...options.folder, path: resolve(options.folder.path) } }),
    ...(options.forwarding && { forwarding: options.forwarding }),
    ...(folder?.kind === "memory" && { trial: "hello" }),
    ...(users.password !== undefined && { password: users.password }),
  };
  process.stdout.write(options.json ? formatStartReportAsJson(facts) : formatStartReport(facts));
}

/** A reload that systemd is told of. Where it fails, the log tells why, and the old settings stay in force. */
export async function toldReload(reload: () => Promise<void>, systemd: SystemdNotifier, logger: Log): Promise<void> {
  systemd.reloading();
  try {
    await reload();
  } catch (error) {
    logger.error({ cause: describeError(error) }, "the old settings stay in force");
  }
  systemd.ready();
}

/** The option that the library names is not one of this command. */
export function inTermsOfCommandLine(error: unknown): never {
  const isAboutAddress = error instanceof ConfigurationError && error.option.startsWith("listen");
  throw isAboutAddress ? new StartError(error.message.replace(`${error.option}: `, ""), { cause: error }) : error;
}
