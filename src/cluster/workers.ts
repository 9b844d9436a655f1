import { EventEmitter } from "node:events";
import { waitAtMost } from "../base/limited-time.js";
import type { Logger } from "../base/logger.js";
import { type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { checkInteger, checkNumber, checkOptions } from "../base/option-checks.js";
import type { Penalised, PenaltyCause } from "../server/admission/penalties.js";
import type { Refusal } from "../server/admission/refusal.js";
import type { ConnectionStats } from "../server/connection-stats.js";
import { type DrainOptions, resolveDrain } from "../server/drain-options.js";
import type { BoundAddress } from "../server/listeners/listen-address.js";
import { type PenaltyEvent, tell } from "../server/manager-events.js";
import { PrimaryLedgers } from "./ledgers/primary-ledgers.js";
import {
  CLOSE,
  type ConnectionFacts,
  LIST,
  LISTEN,
  LOG_IN,
  type Login,
  PENALISE,
  REPORTS,
  UNLISTEN,
} from "./messages.js";
import type { WorkersSettings } from "./options.js";
import { OWN_IDS } from "./own-ids.js";
import { HandOver } from "./primary/hand-over.js";
import { SharedDesks } from "./primary/shared-desks.js";
import { DEFAULT_GRACE, WorkerPool } from "./primary/worker-pool.js";
import type { WorkerExit, WorkerProcess, WorkerState } from "./primary/worker-process.js";
import { type WorkerStats, WorkerTotals } from "./primary/worker-totals.js";
import type { WorkerCrashLoopError } from "./worker-errors.js";

/** A worker, as `Workers` tells it. */
export interface WorkerInfo {
  /** Its number, from 1 on. */
  readonly worker: number;
  /** Its process; `undefined` where it could not be started. */
  readonly pid: number | undefined;
  /**
   * - `starting`, `ready`: it gets no connections yet
   * - `serving`: it gets connections
   * - `retiring`: it gets no more, and ends after those that it has
   * - `ending`: it ends its connections, and itself
   */
  readonly state: WorkerState;
  /** Connections that it was given, and of which something is left, as far as it has told: a quarter of a second late at most. */
  readonly connections: number;
}

/** A connection of one of the workers. */
export interface WorkerConnection extends Omit<ConnectionFacts, "connectedAt"> {
  /** The number of the worker that has it. */
  readonly worker: number;
  /** The time when the connection was accepted. */
  readonly connectedAt: Date;
}

/** Statistics over all workers since the start, those that have ended included. */
export interface WorkersStats extends ConnectionStats {
  /** The part of each worker that has not ended. */
  readonly workers: readonly WorkerStats[];
}

/** A worker's process has ended. */
export interface WorkerEnded extends WorkerExit {
  /** Its number, from 1 on. */
  readonly worker: number;
  /** Its process; `undefined` where it could not be started. */
  readonly pid: number | undefined;
  /** Connections that have ended with it; and those that had ended in the last quarter of a second, if it had not told yet. */
  readonly connections: number;
  /** It had not been told to end: another one takes its place. */
  readonly crashed: boolean;
}

/** The events of `Workers`. Those of single connections are events of the server in each worker. */
export interface WorkersEvents {
  /** A client was turned away, by what all workers share. */
  readonly refused: [refusal: Refusal];
  /** The address of a client has got a penalty, for what the client has done at a worker. */
  readonly penalty: [penalty: PenaltyEvent & { readonly worker: number }];
  /** A worker gets connections from now on. */
  readonly workerServing: [worker: WorkerInfo];
  /** The process of a worker is gone. */
  readonly workerEnded: [worker: WorkerEnded];
}

/** The processes that serve together, for the program that has started them: see `serveWithWorkers`. */
export class Workers extends EventEmitter<WorkersEvents> implements AsyncDisposable {
  /** Resolves when all workers have ended after `close()` or `stopListening()`. Rejects with a {@link WorkerCrashLoopError} when they crash again and again. */
  readonly ended: Promise<void>;
  readonly #logger: Logger;
  readonly #pool: WorkerPool;
  readonly #handOver: HandOver;
  readonly #desks: SharedDesks;
  readonly #ledgers = new PrimaryLedgers();
  readonly #totals = new WorkerTotals();
  #closing: Promise<void> | undefined;
  #finish: { readonly resolve: () => void; readonly reject: (error: Error) => void };

  private constructor(settings: WorkersSettings) {
    super();
    this.#logger = settings.logger;
    let finish = { resolve: () => {}, reject: (_error: Error) => {} };
    this.ended = new Promise((resolve, reject) => {
      finish = { resolve, reject };
    });
    this.#finish = finish;
    this.#pool = new WorkerPool(settings, {
      forked: (worker) => this.#listenTo(worker),
      serving: (worker) => this.#serving(worker),
      exited: (worker, exit) => this.#exited(worker, exit),
      inForce: (generation) => this.#desks.commit(generation),
      abandoned: (generation) => this.#desks.abandon(generation),
      failed: (error) => this.#failed(error),
    });
    this.#handOver = new HandOver(() => this.#pool.workers, this.#logger);
    this.#desks = new SharedDesks(this.#handOver, this.#logger, (refusal) => this.#tell("refused", refusal));
  }

  /** @internal `serveWithWorkers` starts them. */
  static async start(settings: WorkersSettings): Promise<Workers> {
    const workers = new Workers(settings);
    try {
      await workers.#pool.start();
    } catch (error) {
      await workers.close({ grace: 0 });
      throw error;
    }
    return workers;
  }

  /** The port listened on, or the first of them. @throws {Error} where no worker listens on a port */
  get port(): number {
    return this.#firstPort.port;
  }

  /** The address of that port. @throws {Error} where no worker listens on a port */
  get address(): string {
    return this.#firstPort.address;
  }

  /** The addresses listened on, in the order in which `start` has asked for them; those that a worker asks for later included. */
  get addresses(): readonly BoundAddress[] {
    return this.#desks.addresses;
  }

  /** The workers, those included that go on with old sessions. */
  get workers(): readonly WorkerInfo[] {
    return this.#pool.workers.map(infoOf);
  }

  /** What has come and gone since the start, over all workers. One that does not answer counts as it was heard last. */
  async statistics(): Promise<WorkersStats> {
    const counts = await this.#totals.of(this.#pool.workers);
    const { refusedBy, startups, penalisedSources } = this.#desks;
    const refused = Object.values(refusedBy).reduce((total, count) => total + count, 0);
    return { ...counts, refused, refusedBy, startups, penalisedSources };
  }

  /** The connections of all workers that answer. */
  async connections(): Promise<readonly WorkerConnection[]> {
    const ask = async ({ line, number: worker }: WorkerProcess): Promise<readonly WorkerConnection[]> => {
      const facts = await line.call(LIST, undefined).catch((): readonly ConnectionFacts[] => []);
      return facts.map((fact) => ({ ...fact, connectedAt: new Date(fact.connectedAt), worker }));
    };
    return (await Promise.all(this.#pool.workers.map(ask))).flat();
  }

  /**
   * Ends a connection with SSH_MSG_DISCONNECT, whichever worker has it. Resolves to whether there was one with this `id`.
   *
   * @throws {LineError} when its worker does not answer
   */
  async closeConnection(id: number): Promise<boolean> {
    checkInteger("id", id, 1, Number.MAX_SAFE_INTEGER);
    const worker = this.#pool.workers.find(
      (one) => one.visit(id) !== undefined || one.number === Math.floor(id / OWN_IDS),
    );
    return (await worker?.line.call(CLOSE, id)) ?? false;
  }

  /**
   * Starts as many new workers, and when all of them listen, gives every connection to them; the old ones go on with theirs, for
   * `drainTime`. A reload that is asked for while another one runs begins after it.
   *
   * @returns rejects with the error when they cannot start: the old workers then stay as they are
   */
  async reload(): Promise<void> {
    await this.#pool.reload();
  }

  /**
   * Frees the addresses at once and takes nobody new, while the connections that are open go on until they end by themselves. A
   * worker whose last one has ended ends. Resolves when all workers have; the connections that are left at the deadline are ended by
   * `close()`, which may be called before. No worker is started from then on: one that crashes has no successor, and a reload is
   * refused.
   *
   * @throws {ConfigurationError} when the deadline cannot be used
   */
  async stopListening(options: DrainOptions = {}): Promise<void> {
    const deadline = resolveDrain(options);
    this.#pool.drain();
    const connections = this.#pool.workers.reduce((sum, worker) => sum + worker.connections, 0);
    this.#logger.info({ connections }, "the workers take no new connections");
    const freed = this.#desks.close();
    await waitAtMost(deadline, this.#lastHaveLeft());
    await Promise.all([this.close(), freed]);
  }

  /**
   * Frees the addresses at once, and resolves when all workers have ended.
   *
   * @param options.grace seconds that handlers of sessions get to end, while transfers of files end at once; default 5
   */
  async close(options: { readonly grace?: number } = {}): Promise<void> {
    const { grace = DEFAULT_GRACE } = checkOptions(options, ["grace"]);
    checkNumber("grace", grace, 0, 3600);
    this.#closing ??= this.#close(grace);
    await this.#closing;
  }

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #firstPort() {
    const first = this.addresses.find((address) => "port" in address);
    if (first === undefined) throw new Error("no worker listens on a port");
    return first;
  }

  async #close(grace: number): Promise<void> {
    const freed = this.#desks.close();
    this.#handOver.close();
    await Promise.all([this.#pool.stop(grace), freed]);
    this.#finish.resolve();
  }

  async #lastHaveLeft(): Promise<void> {
    await this.#handOver.emptied();
    await this.#pool.retire();
  }

  async #failed(error: WorkerCrashLoopError): Promise<void> {
    this.#logger.error({ err: error }, "the workers crash again and again: everything ends");
    this.#finish.reject(error);
    await this.close();
  }

  #listenTo(worker: WorkerProcess): void {
    const { line } = worker;
    this.#ledgers.serve(line);
    line.answer(LISTEN, (request) => this.#desks.listen(worker, request));
    line.hear(UNLISTEN, ({ desk }) => {
      worker.desks.delete(desk);
      if (!this.#pool.workers.some(({ desks }) => desks.has(desk))) this.#desks.unlisten(desk);
    });
    line.hear(REPORTS, ({ taken, loggedIn, gone }) => {
      for (const id of taken) worker.taken(id);
      for (const login of loggedIn) this.#countLogin(worker, login);
      for (const id of gone) this.#handOver.gone(worker, id);
      this.#handOver.dispatch();
    });
    line.answer(LOG_IN, (login) => this.#logIn(worker, login));
    line.answer(PENALISE, ({ id, cause }) => this.#penalise(worker, id, cause));
  }

  /** An old worker may let in a user whom the limits of a reload refuse. */
  #countLogin(worker: WorkerProcess, login: Login): void {
    void whenDone(this.#logIn(worker, login), (mayLogIn) => {
      if (!mayLogIn) worker.line.call(CLOSE, login.id).catch(() => {});
    });
  }

  #logIn(worker: WorkerProcess, { id, username }: Login): MaybePromise<boolean> {
    const visit = worker.visit(id);
    if (visit?.stay.kind !== "admitted") return false;
    return whenDone(visit.stay.place.logIn(username), (mayLogIn) => {
      if (!mayLogIn) this.#desks.refuseUser(visit.desk, visit.info.remoteAddress, worker.number);
      return mayLogIn;
    });
  }

  async #penalise(worker: WorkerProcess, id: number, cause: PenaltyCause): Promise<Penalised | undefined> {
    const visit = worker.visit(id);
    if (visit?.stay.kind !== "admitted") return undefined;
    const penalised = await visit.stay.place.penalise(cause);
    const { remoteAddress } = visit.info;
    if (penalised) this.#tell("penalty", { remoteAddress, cause, ...penalised, worker: worker.number });
    return penalised;
  }

  #serving(worker: WorkerProcess): void {
    this.#handOver.dispatch();
    this.#tell("workerServing", infoOf(worker));
  }

  #exited(worker: WorkerProcess, exit: WorkerExit): number {
    const connections = this.#handOver.lose(worker);
    this.#totals.ended(worker);
    const { number, pid, isInService: crashed } = worker;
    this.#tell("workerEnded", { worker: number, pid, ...exit, connections, crashed });
    return connections;
  }

  #tell<Name extends keyof WorkersEvents>(event: Name, ...parameters: WorkersEvents[Name]): void {
    tell(this, event, parameters, (error) =>
      this.#logger.error({ event, err: error }, "a listener of the workers has failed"),
    );
  }
}

function infoOf({ number: worker, pid, state, connections }: WorkerProcess): WorkerInfo {
  return { worker, pid, state, connections };
}
