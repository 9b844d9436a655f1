import cluster from "node:cluster";
import { serialize } from "node:v8";
import { ConfigurationError } from "../../base/configuration-error.js";
import { isError } from "../../base/is-error.js";
import { Timers } from "../../base/timers.js";
import { WORKER_VARIABLE } from "../../base/worker-number.js";
import { MAX_DATA } from "../messages.js";
import type { WorkersSettings } from "../options.js";
import { WorkerCrashLoopError, WorkerStartError } from "../worker-errors.js";
import { CrashWatch } from "./crash-watch.js";
import { describeExit, type WorkerExit, WorkerProcess } from "./worker-process.js";

/** Seconds that sessions get to end, and clients to take what was sent to them, when their time is over. */
export const DEFAULT_GRACE = 5;

/** Workers that may go on with old sessions, for each that serves: the oldest have to end when there are more. */
const MAX_RETIRING = 4;

export interface PoolObserver {
  /** Before a worker says anything. */
  forked(worker: WorkerProcess): void;
  /** More connections can be taken. */
  serving(worker: WorkerProcess): void;
  /** Its process has ended. Returns the number of connections that have ended with it. */
  exited(worker: WorkerProcess, exit: WorkerExit): number;
  /** Workers of this generation are in force from now on. */
  inForce(generation: number): void;
  /** Workers of this generation will not be. */
  abandoned(generation: number): void;
  /** Workers crash one after the other: no more are started. */
  failed(error: WorkerCrashLoopError): void;
}

/** The processes of the workers: as many as there should be, also after a crash; and others in their place at a reload. */
export class WorkerPool {
  readonly #settings: WorkersSettings;
  readonly #observer: PoolObserver;
  readonly #workers = new Set<WorkerProcess>();
  readonly #crashWatch: CrashWatch;
  readonly #timers = new Timers();
  #lastNumber = 0;
  #lastGeneration = 0;
  #generation = 0;
  /** From `prepare`, as workers get it. */
  #data = "";
  #reloading: Promise<void> | undefined;
  #nextReload: Promise<void> | undefined;
  #isEnding = false;

  constructor(settings: WorkersSettings, observer: PoolObserver) {
    this.#settings = settings;
    this.#observer = observer;
    this.#crashWatch = new CrashWatch(settings.maxCrashes);
    // Takes less time than "advanced", for what is said for each connection.
    cluster.setupPrimary({ ...cluster.settings, serialization: "json" });
  }

  get workers(): readonly WorkerProcess[] {
    return [...this.#workers];
  }

  /**
   * Starts the workers; when one of them cannot start, all end.
   *
   * @throws {WorkerStartError | WorkerCrashLoopError}
   */
  async start(): Promise<void> {
    const generation = ++this.#lastGeneration;
    this.#data = await this.#prepare();
    const starting = Array.from({ length: this.#settings.count }, () => this.#startFirst(generation));
    try {
      const fresh = await Promise.all(starting);
      this.#putInForce(generation, fresh);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Replaces all workers; one reload after the other. Who asks while one waits, joins that one. */
  reload(): Promise<void> {
    if (this.#isEnding) return Promise.reject(new Error("the workers are ending"));
    if (this.#reloading === undefined) {
      this.#reloading = this.#replaceAll().finally(() => {
        this.#reloading = undefined;
      });
      return this.#reloading;
    }
    this.#nextReload ??= this.#reloading
      .catch(() => {})
      .then(() => {
        this.#nextReload = undefined;
        return this.reload();
      });
    return this.#nextReload;
  }

  /** Nobody can connect any more: none is started, and those that do not serve yet are not needed. */
  drain(): void {
    this.#end();
    for (const worker of this.#workers) {
      if (worker.state === "starting" || worker.state === "ready") worker.kill();
    }
  }

  /** Each worker ends after its last connection. Resolves when their processes have ended. */
  async retire(): Promise<void> {
    for (const worker of this.#workers) {
      if (worker.state === "serving") worker.retire(undefined, DEFAULT_GRACE);
    }
    await this.#exits();
  }

  /** Ends all workers, and resolves when their processes have ended. @param grace seconds */
  async stop(grace: number): Promise<void> {
    this.#end();
    for (const worker of this.#workers) worker.stop(grace);
    await this.#exits();
  }

  async kill(): Promise<void> {
    this.#end();
    for (const worker of this.#workers) worker.kill();
    await this.#exits();
  }

  async #exits(): Promise<void> {
    await Promise.all(this.workers.map(({ exited }) => exited));
  }

  #end(): void {
    this.#isEnding = true;
    this.#timers.clear();
  }

  async #prepare(): Promise<string> {
    const data = await this.#settings.prepare();
    let text: string;
    try {
      text = serialize(data).toString("base64");
    } catch (cause) {
      throw new ConfigurationError("prepare", "has returned what cannot be copied to another process", { cause });
    }
    if (text.length <= MAX_DATA) return text;
    throw new ConfigurationError("prepare", `has returned more than ${(MAX_DATA * 3) / 4} bytes`);
  }

  /** A worker that crashes has a successor; one whose `start` fails has none. */
  async #startFirst(generation: number): Promise<WorkerProcess> {
    for (;;) {
      try {
        return await this.#startOne(generation, this.#data);
      } catch (error) {
        if (!(error instanceof WorkerStartError) || !error.hasCrashed || this.#isEnding) throw error;
        const delay = this.#crashWatch.crashed("early", false);
        if (delay === undefined) throw new WorkerCrashLoopError(this.#crashWatch.crashes, error);
        await this.#wait(delay);
      }
    }
  }

  async #replaceAll(): Promise<void> {
    const generation = ++this.#lastGeneration;
    const { logger, count } = this.#settings;
    logger.info({ generation }, "the workers are replaced");
    const fresh: WorkerProcess[] = [];
    try {
      const data = await this.#prepare();
      // One after the other: those that serve have to do meanwhile.
      while (fresh.length < count) fresh.push(await this.#startOne(generation, data));
      const lost = fresh.find(({ state }) => state !== "ready");
      if (lost !== undefined) throw new WorkerStartError(lost.number, "crashed", "its process has ended");
      if (this.#isEnding) throw new Error("the workers are ending");
      this.#data = data;
    } catch (error) {
      for (const worker of fresh) worker.kill();
      this.#observer.abandoned(generation);
      logger.error({ err: error }, "the workers could not be replaced: the old ones stay");
      throw error;
    }
    const old = this.workers.filter((worker) => worker.generation < generation);
    this.#putInForce(generation, fresh);
    for (const worker of old) this.#retire(worker);
    logger.info({ generation, workers: fresh.map(({ number }) => number) }, "the workers were replaced");
  }

  #putInForce(generation: number, fresh: readonly WorkerProcess[]): void {
    this.#generation = generation;
    // Successors of workers that are out of force are not needed any more.
    this.#timers.clear();
    this.#observer.inForce(generation);
    for (const worker of fresh) this.#serve(worker);
  }

  #serve(worker: WorkerProcess): void {
    // It may have ended meanwhile.
    if (worker.state === "ready") worker.serve();
    else this.#replace(worker, "early");
    this.#observer.serving(worker);
  }

  #retire(worker: WorkerProcess): void {
    if (worker.state === "serving") worker.retire(this.#settings.drainSeconds, DEFAULT_GRACE);
    // One that has not started yet serves nobody.
    else if (worker.state === "starting" || worker.state === "ready") worker.kill();
    const retiring = this.workers.filter(({ state }) => state === "retiring");
    for (const oldest of retiring.slice(0, Math.max(0, retiring.length - MAX_RETIRING * this.#settings.count))) {
      const { logger } = this.#settings;
      logger.warn({ worker: oldest.number }, "too many workers go on with old sessions: the oldest has to end");
      oldest.stop(DEFAULT_GRACE);
    }
  }

  async #startOne(generation: number, data: string): Promise<WorkerProcess> {
    if (this.#isEnding) throw new Error("the workers are ending");
    const { logger, startTime, unresponsiveAfter } = this.#settings;
    const number = ++this.#lastNumber;
    const worker = new WorkerProcess(cluster.fork({ [WORKER_VARIABLE]: String(number) }), number, generation, logger);
    this.#workers.add(worker);
    void worker.exited.then((exit) => this.#exited(worker, exit));
    this.#observer.forked(worker);
    await worker.start(data, startTime, unresponsiveAfter);
    logger.info({ worker: number, process: worker.pid }, "a worker has started");
    return worker;
  }

  #exited(worker: WorkerProcess, exit: WorkerExit): void {
    const wasServing = worker.isInService;
    this.#workers.delete(worker);
    const connections = this.#observer.exited(worker, exit);
    const fields = { worker: worker.number, process: worker.pid, ...exit, connections };
    const { logger } = this.#settings;
    if (!wasServing) {
      logger.info(fields, "a worker has ended");
      return;
    }
    logger.error(fields, "a worker has crashed");
    this.#replace(worker, worker.servingFor < this.#settings.minUptime ? "early" : "late", exit);
  }

  #replace(worker: WorkerProcess, when: "early" | "late", exit?: WorkerExit): void {
    const cause = exit === undefined ? "it has ended" : describeExit(exit);
    this.#startLater(when, new Error(`worker ${worker.number} has ended with ${cause}`));
  }

  #startLater(when: "early" | "late", cause: Error): void {
    if (this.#isEnding) return;
    const { minUptime } = this.#settings;
    const othersLive = this.workers.some(({ isInService, servingFor }) => isInService && servingFor >= minUptime);
    const delay = this.#crashWatch.crashed(when, othersLive);
    if (delay === undefined) {
      this.#observer.failed(new WorkerCrashLoopError(this.#crashWatch.crashes, cause));
      return;
    }
    this.#timers.after(delay, () => void this.#startAnother());
  }

  async #startAnother(): Promise<void> {
    const generation = this.#generation;
    try {
      const worker = await this.#startOne(generation, this.#data);
      if (this.#isEnding || generation !== this.#generation) {
        worker.kill();
        return;
      }
      this.#serve(worker);
      this.#timers.after(this.#settings.minUptime, () => {
        if (worker.isInService) this.#crashWatch.settled();
      });
    } catch (error) {
      // A reload that is over by now has brought enough others.
      if (this.#isEnding || generation !== this.#generation) return;
      const cause = isError(error) ? error : new Error(String(error));
      this.#settings.logger.error({ err: cause }, "a worker that crashed has no successor yet");
      this.#startLater("early", cause);
    }
  }

  /** Never resolves when everything ends meanwhile. */
  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#timers.after(milliseconds, resolve));
  }
}
