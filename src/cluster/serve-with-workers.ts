import cluster from "node:cluster";
import { WORKER_VARIABLE } from "../base/worker-number.js";
import { resolveWorkersOptions, type WorkersOptions } from "./options.js";
import { runWorker } from "./worker/run-worker.js";
import { Workers } from "./workers.js";

/** This process serves with workers, or is one: it does so to its end. */
let isServing = false;

/**
 * Serves with several processes on the same addresses. The program that calls it is the primary, and is started anew for each
 * worker; there `start` makes the server, and what stands behind the call does not run. The primary accepts the connections, decides
 * who may connect by the options of the workers' servers, and gives each connection to the worker that has the fewest. A worker that
 * crashes takes its own connections only, and another one takes its place.
 *
 * @returns in the primary, once all workers listen
 * @throws {ConfigurationError} naming the option that cannot be used, or `prepare` for a result that cannot be copied
 * @throws {WorkerStartError} when a worker cannot start; its cause is the error of `start`
 * @throws {WorkerCrashLoopError} when workers crash before they have started
 */
export async function serveWithWorkers<Data>(options: WorkersOptions<Data>): Promise<Workers> {
  const settings = resolveWorkersOptions(options);
  if (isServing) throw new Error("this program serves with workers already");
  isServing = true;
  if (cluster.isWorker) return runWorker(numberOfThis(), settings);
  try {
    return await Workers.start(settings);
  } catch (error) {
    isServing = false;
    throw error;
  }
}

function numberOfThis(): number {
  const { [WORKER_VARIABLE]: number } = process.env;
  if (number === undefined) throw new Error("this process is the worker of another cluster");
  // Programs that the worker runs must not take themselves for workers.
  delete process.env[WORKER_VARIABLE];
  return Number(number);
}
