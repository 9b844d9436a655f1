import { SSHServerManager, systemdNotifier } from "../../index.js";
import { createLog } from "./log.js";
import type { ServeOptions } from "./serve-options.js";
import { Service } from "./service.js";
import { listenToSignals } from "./signals.js";
import { inTermsOfCommandLine, openedSockets, placesOf, reportStart, toldReload } from "./started.js";
import { serveByWorkers } from "./workers.js";

/**
 * `spindlex serve`: runs until SIGINT or SIGTERM.
 *
 * @throws {StartError | UsageError | ConfigurationError} when the server cannot start
 */
export async function serve(options: ServeOptions): Promise<void> {
  if (options.workers !== undefined) return serveByWorkers(options, options.workers);
  const logger = createLog({ level: options.logLevel, format: options.json ? "json" : "text" });
  const service = await Service.load(options, logger);
  process.once("exit", () => service.killPrograms());
  const systemd = systemdNotifier({ logger });
  const manager = new SSHServerManager({ ...service.managerOptions, listen: placesOf(options, openedSockets(logger)) });
  await manager.startServer().catch(inTermsOfCommandLine);
  const stopped = new Promise<NodeJS.Signals>((stop) => {
    listenToSignals({ stop, reload: () => toldReload(() => service.reload(manager), systemd, logger) });
  });
  reportStart(service, manager, options);
  systemd.ready();

  logger.info({ signal: await stopped }, "stopping");
  systemd.stopping();
  await manager.stopServer();
  await service.ended();
  logger.info({}, "stopped");
}
