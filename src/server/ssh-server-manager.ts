import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { ConfigurationError } from "../base/configuration-error.js";
import { noteEndReason } from "../base/end-reasons.js";
import { keepFreedMemory } from "../base/keep-freed-memory.js";
import { waitAtMost } from "../base/limited-time.js";
import { type Logger, silentLogger } from "../base/logger.js";
import { whenDone } from "../base/maybe-promise.js";
import { checkNumber, checkOptions } from "../base/option-checks.js";
import { Semaphore } from "../base/semaphore.js";
import { workerNumber } from "../base/worker-number.js";
import { packetPath } from "../crypto/cipher/packet-path.js";
import type { ConnectionEnd } from "../endpoint/connection-end.js";
import { readDirectly } from "../endpoint/direct-reads.js";
import { DisconnectReason } from "../protocol/constants.js";
import type { Connection } from "../session/connection.js";
import { AdmissionDesk, type DeskObserver } from "./admission/admission-desk.js";
import type { ConnectionPlace, RefusedPlace } from "./admission/connection-place.js";
import type { Penalised, PenaltyCause } from "./admission/penalties.js";
import type { RefusalReason } from "./admission/refusal.js";
import { ConnectionRegister } from "./connection-register.js";
import { type ConnectionStats, ConnectionTotals } from "./connection-stats.js";
import { type DrainOptions, resolveDrain } from "./drain-options.js";
import { hostKeyFingerprint } from "./host-keys/host-key-checks.js";
import type { BoundAddress, Place } from "./listeners/listen-address.js";
import { type Listening, openListening } from "./listeners/listening.js";
import { loadDecisions } from "./load-decisions.js";
import { type ManagerEvents, tell } from "./manager-events.js";
import { readParts } from "./read-parts.js";
import { requireSamePlaces, requireSameSources, succeed } from "./reload.js";
import { type ConnectionObserver, ServerConnection, startServing } from "./server-connection.js";
import {
  checkMaxConnections,
  checkTimeout,
  placesOf,
  resolveSettings,
  type ServerSettings,
  type SetLimits,
  type SSHServerManagerOptions,
} from "./settings.js";
import { letsAnybodyIn, sessionsOf } from "./ssh-server.js";
import { checkStream, givenInfo, type StreamInfo, streamInfo } from "./stream-info.js";

const TOO_MANY = "too many connections";
const SHUTTING_DOWN = "the server is shutting down";

/** Starts a manager at places that are not those of its options. Only `createServer` needs this. */
export let startOn: (manager: SSHServerManager, places: readonly Place[]) => Promise<void>;

/**
 * Runs a server: listens, accepts, keeps the limits. Its events are those of `ManagerEvents`; a listener that throws
 * harms nobody.
 */
export class SSHServerManager extends EventEmitter<ManagerEvents> implements AsyncDisposable {
  static {
    startOn = (manager, places) => manager.#start(places);
  }

  #settings: ServerSettings;
  readonly #places: readonly Place[];
  readonly #register = new ConnectionRegister();
  readonly #desk: AdmissionDesk;
  /** The limits that were set by methods, as options have them. */
  #limits: SetLimits = {};
  readonly #reloads = new Semaphore(1);
  #listening: Listening | undefined;
  #starting: Promise<Listening> | undefined;
  readonly #totals = new ConnectionTotals();
  /** It was said that nobody can log in. */
  #warned = false;
  /** The log has that the server listens, and not that it has stopped. */
  #saidToListen = false;
  #stopping: Promise<void> | undefined;
  /** Those that wait until the connections have ended by themselves. */
  #drains = 0;

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(options: SSHServerManagerOptions) {
    super();
    this.#settings = resolveSettings(options);
    this.#desk = new AdmissionDesk(this.#settings, this.#logger, this.#deskObserver);
    this.#places = placesOf(options);
  }

  /** The port listened on, or the first of them. @throws {Error} while the server does not run, and where it has no port */
  get port(): number {
    return this.#firstPort.port;
  }

  /** The address of that port. @throws {Error} while the server does not run, and where it has no port */
  get address(): string {
    return this.#firstPort.address;
  }

  /** The addresses listened on, in the order of the options. @throws {Error} while the server does not run */
  get addresses(): readonly BoundAddress[] {
    if (this.#listening === undefined) throw new Error("the server does not run");
    return this.#listening.addresses;
  }

  get #logger(): Logger {
    return this.#settings.logger;
  }

  get #firstPort() {
    const first = this.addresses.find((address) => "port" in address);
    if (first === undefined) throw new Error("the server listens on no port: see its addresses");
    return first;
  }

  /** Whether it listens: from the end of `startServer()` to the beginning of `stopServer()` or `stopListening()`. */
  isRunning(): boolean {
    return this.#listening !== undefined;
  }

  /**
   * Resolves once the server listens. A stop that is under way comes to its end first.
   *
   * @throws {ConfigurationError} when the address or port cannot be listened on; its cause is the system's error
   */
  startServer(): Promise<void> {
    return this.#start(this.#places);
  }

  async #start(places: readonly Place[]): Promise<void> {
    if (this.#listening !== undefined || this.#starting !== undefined) throw new Error("the server runs already");
    if (this.#drains > 0 && this.#stopping === undefined) throw new Error("the server is being drained: stop it first");
    keepFreedMemory();
    this.#starting = (this.#stopping ?? Promise.resolve()).then(async () => {
      await prepare(this.#settings);
      return openListening({
        places,
        desk: this.#desk,
        server: this,
        failed: (error) => this.#logger.error({ err: error }, "a connection could not be accepted"),
      });
    });
    try {
      this.#listening = await this.#starting;
    } finally {
      this.#starting = undefined;
    }
    const fingerprints = this.#settings.hostKeys.map(hostKeyFingerprint);
    const { description, problem } = packetPath();
    const [first, ...others] = this.addresses;
    const more = others.length > 0 && { addresses: this.addresses };
    this.#logger.info({ ...first, ...more, fingerprints, packetsSealedBy: description }, "the server listens");
    this.#saidToListen = true;
    if (problem !== undefined) {
      this.#logger.warn({ cause: problem }, "packets are sealed by node:crypto: the addon cannot be used");
    }
    this.#warnIfNobodyGetsIn();
    // A part that is not there fails where it is used.
    readParts().catch(() => {});
  }

  /**
   * New settings for connections that are to come, as if the manager had been made with these options: those that are left out
   * have their defaults, but for limits that were set by methods. Connections that are open go on with the settings that they
   * have begun with. Counts, penalties and places stay. A reload waits for one that is under way.
   *
   * @param options with the addresses of this manager, or none
   * @throws {ConfigurationError} naming the option that cannot be used, or cannot be changed: the old settings stay in force
   */
  reload(options: SSHServerManagerOptions): Promise<void> {
    return this.#reloads.run(async () => {
      const settings = resolveSettings(options, this.#limits);
      requireSamePlaces(options, this.#places);
      requireSameSources(settings, this.#settings);
      await prepare(settings);
      this.#settings = succeed(settings, this.#settings);
      this.#desk.reload(settings, settings.logger);
      this.#logger.info({ fingerprints: settings.hostKeys.map(hostKeyFingerprint) }, "the settings were reloaded");
      this.#warned = false;
      this.#warnIfNobodyGetsIn();
    });
  }

  /**
   * Frees the addresses at once and takes nobody new, while the connections that are open go on until they end by themselves.
   * Resolves when all are gone and the server has stopped; those that are left at the deadline are ended by `stopServer()`,
   * which may be called before.
   *
   * @throws {ConfigurationError} when the deadline cannot be used
   */
  async stopListening(options: DrainOptions = {}): Promise<void> {
    const deadline = resolveDrain(options);
    if (this.#starting !== undefined) await this.#starting.catch(() => {});
    this.#drains++;
    try {
      const freed = this.#free();
      this.#desk.close();
      this.#logger.info({ connections: this.#register.openCount }, "the server takes no new connections");
      await freed;
      await waitAtMost(deadline, this.#register.emptied());
      await this.stopServer();
    } finally {
      this.#drains--;
    }
  }

  /**
   * Frees the port at once, fires the signal of every declared session, and when those have ended tells every client with
   * SSH_MSG_DISCONNECT. Resolves when all connections are closed.
   *
   * @param options.gracePeriod seconds that the handlers of sessions get to end, and clients to take what was sent to them; transfers
   *   of files end at once; default 5
   */
  async stopServer(options: { readonly gracePeriod?: number } = {}): Promise<void> {
    checkOptions(options, ["gracePeriod"]);
    const gracePeriod = 1000 * checkNumber("gracePeriod", options.gracePeriod ?? 5, 0, 3600);
    if (this.#starting !== undefined) await this.#starting.catch(() => {});
    const freed = this.#free();
    // Listeners that run during the closing must find that it is under way.
    this.#stopping ??= Promise.resolve()
      .then(() => Promise.all([this.#closeConnections(gracePeriod), freed]))
      .then(() => {})
      .finally(() => {
        this.#desk.reopen();
        this.#settings.sessionRunner.restart();
        this.#stopping = undefined;
      });
    await this.#stopping;
    if (this.#saidToListen) this.#logger.info({}, "the server has stopped");
    this.#saidToListen = false;
  }

  async #free(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.close();
  }

  async #closeConnections(gracePeriod: number): Promise<void> {
    this.#desk.close();
    const begun = performance.now();
    await this.#settings.sessionRunner.shutDown(gracePeriod);
    if (this.#register.streamCount === 0) return;
    const closingTime = Math.max(0, gracePeriod - (performance.now() - begun));
    for (const connection of this.#register.open()) {
      noteEndReason(connection, "shutdown");
      connection.disconnect(DisconnectReason.BY_APPLICATION, SHUTTING_DOWN, closingTime);
    }
    await this.#register.emptied();
  }

  /** `stopServer()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stopServer();
  }

  /** In place of the option `maxConnections`. @throws {ConfigurationError} while the server runs */
  setMaxConnections(count: number): void {
    this.#checkStopped("maxConnections");
    this.#desk.maxConnections = checkMaxConnections(count);
    this.#limits = { ...this.#limits, maxConnections: count };
  }

  /** In place of the option `connectionTimeout`, seconds. @throws {ConfigurationError} while the server runs */
  setConnectionTimeout(seconds: number): void {
    this.#checkStopped("connectionTimeout");
    this.#settings = { ...this.#settings, connectionTimeout: checkTimeout("connectionTimeout", seconds) };
    this.#limits = { ...this.#limits, connectionTimeout: seconds };
  }

  /** In place of the option `authTimeout`, seconds. @throws {ConfigurationError} while the server runs */
  setAuthTimeout(seconds: number): void {
    this.#checkStopped("authTimeout");
    this.#settings = { ...this.#settings, authTimeout: checkTimeout("authTimeout", seconds) };
    this.#limits = { ...this.#limits, authTimeout: seconds };
  }

  /** Connections that are open now, those included on which nobody has logged in. */
  getConnectionCount(): number {
    return this.#register.openCount;
  }

  /** What has come and gone since the manager was made, and what is there now. */
  getConnectionStats(): ConnectionStats {
    return this.#totals.stats(this.getActiveConnections(), this.#desk);
  }

  /** The connections that are open now. `closeConnection` takes the `id` of one. */
  getActiveConnections(): readonly Connection[] {
    return this.#register.open();
  }

  /** Ends a connection with SSH_MSG_DISCONNECT. Returns whether there was one with this `id`. */
  closeConnection(id: number): boolean {
    const connection = this.#register.find(id);
    connection?.disconnect();
    return connection !== undefined;
  }

  /**
   * Serves SSH over any byte stream: a socket, stdin and stdout, a WebSocket. The limits hold for it as for accepted
   * connections; the server need not be started. In a worker of `serveWithWorkers` these streams are counted by themselves: neither
   * the connections of the other workers nor those that the primary has accepted are among them.
   *
   * @param info the origin of the stream, if the stream does not know it
   * @throws {ConfigurationError} when the stream or `info` cannot be used
   */
  handleConnection(stream: Duplex, info?: StreamInfo): Connection {
    checkStream(stream);
    const from = info === undefined ? streamInfo(stream) : givenInfo(info);
    this.#warnIfNobodyGetsIn();
    const decision = this.#desk.decide(from.remoteAddress);
    if (typeof decision !== "string") return this.#serve(stream, from, decision);
    this.#desk.refused(decision, from.remoteAddress);
    const place = this.#desk.takeRefusedPlace();
    const connection = this.#turnAway(stream, from, decision, place);
    if (place === undefined) stream.destroy();
    return connection;
  }

  #warnIfNobodyGetsIn(): void {
    if (this.#warned || letsAnybodyIn(this.#settings.server)) return;
    this.#warned = true;
    const remedy = "declare authentication, or override checkAuthPublickey or checkAuthPassword";
    this.#logger.warn({ remedy }, "nobody can log in: the server has no hook that lets anybody in");
  }

  #serve(stream: Duplex, info: StreamInfo, place: ConnectionPlace, id?: number): Connection {
    const connection = new ServerConnection(stream, info, this.#settings, this.#observer, id);
    this.#register.add(connection, place);
    try {
      startServing(connection);
    } catch (error) {
      this.#register.remove(connection);
      throw error;
    }
    this.#totals.connectionAccepted();
    if (this.#register.announce(connection)) this.#tell("connection", connection);
    return connection;
  }

  /** Tells a client that it is refused. The log does not hear of each: there may be very many. */
  #turnAway(
    stream: Duplex,
    info: StreamInfo,
    reason: RefusalReason,
    place: RefusedPlace | undefined,
    id?: number,
  ): Connection {
    const settings = { ...this.#settings, logger: silentLogger };
    const connection = new ServerConnection(stream, info, settings, this.#observer, id);
    this.#register.addTurnedAway(connection, place);
    startServing(connection);
    if (reason === "shutdown") connection.disconnect(DisconnectReason.BY_APPLICATION, SHUTTING_DOWN);
    else if (reason === "maxConnections") connection.disconnect(DisconnectReason.TOO_MANY_CONNECTIONS, TOO_MANY);
    else connection.disconnect(DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT, "not allowed at this time");
    return connection;
  }

  get #deskObserver(): DeskObserver {
    return {
      admitted: (socket, info, place, id) => {
        readDirectly(socket);
        this.#serve(socket, info, place, id);
      },
      turnedAway: (socket, info, reason, place, id) => this.#turnAway(socket, info, reason, place, id),
      refused: (refusal) => this.#tell("refused", refusal),
    };
  }

  readonly #observer: ConnectionObserver = {
    loggingIn: (connection, { username }) =>
      whenDone(this.#register.placeOf(connection)?.logIn(username) ?? true, (mayLogIn) => {
        if (mayLogIn) return undefined;
        this.#desk.refused("maxConnectionsPerUser", connection.remoteAddress, { username });
        return "too many connections of this user";
      }),
    authenticated: (connection) => this.#tell("authenticated", connection),
    misbehaved: (connection, cause) => this.#penalise(connection, cause),
    closed: (connection, end) => this.#connectionClosed(connection, end),
  };

  #penalise(connection: ServerConnection, cause: PenaltyCause): void {
    const { remoteAddress } = connection;
    const penalised = this.#register.placeOf(connection)?.penalise(cause);
    void whenDone(penalised, (outcome) => outcome && this.#penalised(remoteAddress, cause, outcome));
  }

  #penalised(remoteAddress: string | undefined, cause: PenaltyCause, penalised: Penalised): void {
    if (penalised.enforced) this.#logger.info({ remoteAddress, cause, ...penalised }, "a source is penalised");
    this.#tell("penalty", { remoteAddress, cause, ...penalised, worker: workerNumber() });
  }

  #tell<Name extends keyof ManagerEvents>(event: Name, ...parameters: ManagerEvents[Name]): void {
    tell(this, event, parameters, (error) =>
      this.#logger.error({ event, err: error }, "a listener of the manager has failed"),
    );
  }

  #connectionClosed(connection: ServerConnection, end: ConnectionEnd): void {
    this.#totals.connectionClosed(connection);
    const announced = this.#register.closed(connection, this.#settings.authTimeout);
    if (announced) this.#tell("disconnected", connection, end);
  }

  #checkStopped(option: string): void {
    if (this.#listening !== undefined || this.#starting !== undefined) {
      throw new ConfigurationError(option, "cannot be changed while the server runs");
    }
  }
}

/** Finds out, and reads, what can be found out before the first client comes. @throws {ConfigurationError} */
async function prepare({ server, logger }: ServerSettings): Promise<void> {
  await sessionsOf(server).requireFolder();
  await loadDecisions(server.authentication, logger);
}
