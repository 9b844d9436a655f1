import { availableParallelism } from "node:os";
import {
  SSHServerManager,
  type SystemdSocket,
  serveWithWorkers,
  systemdNotifier,
  type WorkerContext,
} from "../../index.js";
import { createLog } from "./log.js";
import type { ServeOptions } from "./serve-options.js";
import { type Prepared, Service } from "./service.js";
import { listenToSignals } from "./signals.js";
import { inTermsOfCommandLine, openedSockets, placesOf, reportStart, toldReload } from "./started.js";

/**
 * `spindlex serve --workers`: runs until SIGINT or SIGTERM. SIGHUP replaces the workers.
 *
 * @throws {StartError | UsageError | WorkerStartError} when the server cannot start
 * @throws {WorkerCrashLoopError} when it has to end, since workers crash again and again
 */
export async function serveByWorkers(options: ServeOptions, count: number | "auto"): Promise<void> {
  const logger = createLog(logOptions(options));
  // Where this is one of the workers, both are there for the first process alone.
  const systemd = systemdNotifier({ logger });
  let sockets: readonly SystemdSocket[] | undefined;
  let service: Service | undefined;
  const workers = await serveWithWorkers<Prepared>({
    workers: count,
    logger,
    prepare: async () => {
      // Makes the host key before several workers look for it.
      sockets ??= openedSockets(logger);
      service ??= await Service.load(options, logger);
      return { password: service.users.password, sockets };
    },
    start: (context) => startWorker(options, context),
  });
  const stopped = new Promise<NodeJS.Signals>((stop, crashed) => {
    workers.ended.catch(crashed);
    listenToSignals({ stop, reload: () => toldReload(() => workers.reload(), systemd, logger) });
  });
  if (service !== undefined) reportStart(service, workers, options);
  const processors = availableParallelism();
  if (workers.workers.length > processors) {
    logger.warn({ workers: workers.workers.length, processors }, "more workers than processors are of no use");
  }
  systemd.ready();

  try {
    logger.info({ signal: await stopped }, "stopping");
  } finally {
    systemd.stopping();
    await workers.close();
    await service?.ended();
  }
  logger.info({}, "stopped");
}

async function startWorker(options: ServeOptions, { worker, data }: WorkerContext<Prepared>): Promise<AsyncDisposable> {
  const service = await Service.load(options, createLog({ ...logOptions(options), worker }), data);
  process.once("exit", () => service.killPrograms());
  const manager = new SSHServerManager({ ...service.managerOptions, listen: placesOf(options, data.sockets) });
  await manager.startServer().catch(inTermsOfCommandLine);
  return { [Symbol.asyncDispose]: () => service.ended() };
}

function logOptions({ logLevel, json }: ServeOptions) {
  return { level: logLevel, format: json ? "json" : "text" } as const;
}
