import { resolve } from "node:path";
import type { Logger } from "pino";
import { packetsSealedBy } from "../../crypto/index.js";
import {
  ConfigurationError,
  type ListenAddress,
  SSHServerManager,
  systemdNotifier,
  systemdSockets,
} from "../../index.js";
import { describeError, StartError } from "../errors.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./listen-options.js";
import { createLogger } from "./log.js";
import type { ServeOptions } from "./serve-options.js";
import { Service } from "./service.js";
import { listenToSignals } from "./signals.js";
import { formatStartReport, formatStartReportAsJson } from "./start-report.js";

/**
 * `spindlex serve`: runs until SIGINT or SIGTERM.
 *
 * @throws {StartError | UsageError | ConfigurationError} when the server cannot start
 */
export async function serve(options: ServeOptions): Promise<void> {
  const logger = createLogger({ level: options.logLevel, format: options.json ? "json" : "text" });
  const service = await Service.load(options, logger);
  process.once("exit", () => service.killPrograms());
  const systemd = systemdNotifier({ logger });
  const listen = addressesOf(options, logger);
  const manager = new SSHServerManager({ ...service.managerOptions, listen });
  await manager.startServer().catch(inTermsOfCommandLine);
  const stopped = new Promise<NodeJS.Signals>((stop) => {
    listenToSignals({
      stop,
      reload: async () => {
        systemd.reloading();
        try {
          await service.reload(manager);
        } catch (error) {
          logger.error({ cause: describeError(error) }, "the old settings stay in force");
        }
        systemd.ready();
      },
    });
  });
  report(service, manager, options);
  systemd.ready();

  logger.info({ signal: await stopped }, "stopping");
  systemd.stopping();
  await manager.stopServer();
  await service.ended();
  logger.info("stopped");
}

/** Sockets that systemd has opened are in the place of the default, and beside what the command line names. */
function addressesOf({ listen }: ServeOptions, logger: Logger): readonly ListenAddress[] {
  const { LISTEN_PID: intended } = process.env;
  const sockets = systemdSockets();
  if (intended !== undefined && sockets.length === 0) {
    logger.warn({ LISTEN_PID: intended, pid: process.pid }, "the sockets of systemd are for another process");
  }
  if (sockets.length > 0) return [...sockets, ...(listen ?? [])];
  return listen ?? [{ host: DEFAULT_HOST, port: DEFAULT_PORT }];
}

function report(service: Service, { addresses }: SSHServerManager, options: ServeOptions): void {
  const { folder, hostKeys, users } = service;
  const [fingerprint = "", ...otherFingerprints] = hostKeys.map((key) => key.fingerprint());
  const facts = {
    addresses,
    fingerprint,
    otherFingerprints,
    packetsSealedBy: packetsSealedBy(),
    user: users.example,
    ...(options.folder && { folder: { ...options.folder, path: resolve(options.folder.path) } }),
    ...(options.forwarding && { forwarding: options.forwarding }),
    ...(folder?.kind === "memory" && { trial: "hello" }),
    ...(users.password !== undefined && { password: users.password }),
  };
  process.stdout.write(options.json ? formatStartReportAsJson(facts) : formatStartReport(facts));
}

/** The option that the library names is not one of this command. */
function inTermsOfCommandLine(error: unknown): never {
  const isAboutAddress = error instanceof ConfigurationError && error.option.startsWith("listen");
  throw isAboutAddress ? new StartError(error.message.replace(`${error.option}: `, ""), { cause: error }) : error;
}
