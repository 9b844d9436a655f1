import { setTimeout as delay } from "node:timers/promises";
import { deserialize } from "node:v8";
import { loggedText } from "../../base/logged-text.js";
import { shareLedgers } from "../../base/shared-ledgers.js";
import { setWorkerNumber } from "../../base/worker-number.js";
import { beginConnectionIds } from "../../server/connection-ids.js";
import { type ListeningServer, listenThrough } from "../../server/listeners/listening.js";
import type { Connection } from "../../session/connection.js";
import { ProcessLine } from "../calls/process-line.js";
import { workerLedgers } from "../ledgers/worker-ledgers.js";
import {
  BEAT,
  CLOSE,
  CONNECTION,
  COUNT,
  type ConnectionFacts,
  HELLO,
  HURRY,
  LIST,
  MAX_CLIENT_TEXT,
  RETIRE,
  START,
  STOP,
  type WorkerCounts,
} from "../messages.js";
import type { WorkersSettings } from "../options.js";
import { OWN_IDS } from "../own-ids.js";
import { problemOf } from "../problem.js";
import { RemoteListenings } from "./remote-listenings.js";
import { Reports } from "./reports.js";

/** Signals that a terminal or a service manager sends to all processes: the primary decides what becomes of them. */
const SIGNALS_OF_THE_PRIMARY = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds between two looks at whether the last connection is over. */
const DRAIN_LOOK = 100;

/** Runs this process as a worker, to its end. */
export function runWorker(number: number, settings: WorkersSettings): Promise<never> {
  new WorkerProgram(number, settings).begin();
  return new Promise(() => {});
}

class WorkerProgram {
  readonly #number: number;
  readonly #settings: WorkersSettings;
  readonly #line: ProcessLine;
  readonly #reports: Reports;
  readonly #listenings: RemoteListenings;
  readonly #retiring = new AbortController();
  #disposable: unknown;
  #ending: Promise<void> | undefined;

  constructor(number: number, settings: WorkersSettings) {
    this.#number = number;
    this.#settings = settings;
    this.#line = new ProcessLine(process, { peer: "the primary", logger: settings.logger });
    this.#reports = new Reports(this.#line);
    this.#listenings = new RemoteListenings({ line: this.#line, reports: this.#reports });
  }

  begin(): void {
    const line = this.#line;
    setWorkerNumber(this.#number);
    beginConnectionIds(this.#number * OWN_IDS + 1);
    shareLedgers(workerLedgers(line));
    listenThrough((options) => this.#listenings.open(options));
    for (const signal of SIGNALS_OF_THE_PRIMARY) process.on(signal, () => {});
    // Nobody would hear of its connections, and count them.
    line.signal.addEventListener("abort", () => process.exit(1));
    line.answer(START, async ({ data, beatSeconds }) => this.#start(data, beatSeconds));
    line.hear(CONNECTION, (connection, handle) => this.#listenings.take(connection, handle));
    line.hear(HURRY, () => this.#reports.hurry());
    line.answer(COUNT, () => {
      // A caller that hears that a connection is over finds its place free.
      this.#reports.flush();
      return this.#counts();
    });
    line.answer(LIST, () => this.#connections.map(factsOf));
    line.answer(CLOSE, (id) => this.#listenings.servers.some((server) => server.closeConnection(id)));
    line.hear(RETIRE, ({ seconds, grace }) => void this.#retire(seconds, grace));
    line.hear(STOP, ({ grace }) => void this.#end(grace));
    line.notify(HELLO, undefined);
  }

  async #start(data: string, beatSeconds: number) {
    setInterval(() => this.#line.notify(BEAT, this.#counts()), 1000 * beatSeconds);
    try {
      const { signal } = this.#retiring;
      const context = { worker: this.#number, data: deserialize(Buffer.from(data, "base64")) as unknown, signal };
      this.#disposable = await this.#settings.start(context);
      if (this.#listenings.isListening) return undefined;
      throw new Error("start has ended and nothing listens: await server.listen(…) in it");
    } catch (error) {
      return problemOf(error);
    }
  }

  async #retire(seconds = Number.POSITIVE_INFINITY, grace: number): Promise<void> {
    this.#retiring.abort();
    // The end of its last connection is not to be heard later than that of its process.
    this.#reports.hurry();
    const deadline = performance.now() + 1000 * seconds;
    const isIdle = () => this.#listenings.connections === 0 && this.#connections.length === 0;
    while (!isIdle() && performance.now() < deadline && this.#ending === undefined) await delay(DRAIN_LOOK);
    await this.#end(grace);
  }

  #end(grace: number): Promise<void> {
    this.#ending ??= this.#stop(grace);
    return this.#ending;
  }

  async #stop(gracePeriod: number): Promise<void> {
    this.#retiring.abort();
    this.#reports.hurry();
    let code = 0;
    const failed = (err: unknown) => {
      code = 1;
      this.#settings.logger.error({ worker: this.#number, err }, "a worker could not end as it should");
    };
    const stop = (server: ListeningServer) => server.stopServer({ gracePeriod }).catch(failed);
    await Promise.all(this.#listenings.servers.map(stop));
    await dispose(this.#disposable).catch(failed);
    this.#line.notify(BEAT, this.#counts());
    await this.#line.sent();
    process.exit(code);
  }

  get #connections(): readonly Connection[] {
    return this.#listenings.servers.flatMap((server) => server.getActiveConnections());
  }

  /** Places of connections that are not among them are free when the primary hears them. */
  #counts(): WorkerCounts {
    this.#reports.flush();
    const all = this.#listenings.servers.map((server) => server.getConnectionStats());
    const sum = (name: keyof WorkerCounts) => all.reduce((total, counts) => total + counts[name], 0);
    return {
      accepted: sum("accepted"),
      active: sum("active"),
      authenticated: sum("authenticated"),
      bytesReceived: sum("bytesReceived"),
      bytesSent: sum("bytesSent"),
    };
  }
}

function factsOf(connection: Connection): ConnectionFacts {
  const { id, remoteAddress, remotePort, username, clientVersion, connectedAt } = connection;
  const { channelCount, bytesReceived, bytesSent } = connection;
  return {
    ...{ id, remoteAddress, remotePort, channelCount, bytesReceived, bytesSent },
    username: username === undefined ? undefined : loggedText(username).slice(0, MAX_CLIENT_TEXT),
    clientVersion: loggedText(clientVersion).slice(0, MAX_CLIENT_TEXT),
    connectedAt: connectedAt.getTime(),
  };
}

async function dispose(value: unknown): Promise<void> {
  if (typeof value !== "object" || value === null || !(Symbol.asyncDispose in value)) return;
  const { [Symbol.asyncDispose]: method } = value;
  if (typeof method === "function") await Reflect.apply(method, value, []);
}
