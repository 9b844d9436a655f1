import { EventEmitter } from "node:events";
import { resolve } from "node:path";
import type { Duplex } from "node:stream";
import { loggedPath } from "../base/logged-text.js";
import type { Logger } from "../base/logger.js";
import { checkNumber, checkOptions, checkSignal } from "../base/option-checks.js";
import { Semaphore } from "../base/semaphore.js";
import type { HostKey } from "../crypto/pkey/host-key.js";
import type { Connection } from "../session/connection.js";
import type { Middleware } from "../session/session-handler.js";
import { type ConnectionStats, noConnections } from "./connection-stats.js";
import { type DrainOptions, resolveDrain } from "./drain-options.js";
import { checkHostKeyOption, type HostKeyOption, loadHostKeys, reloadHostKeys } from "./host-keys/host-key-option.js";
import {
  type BoundAddress,
  checkListenAddresses,
  checkPort,
  type ListenAddress,
  type Place,
} from "./listeners/listen-address.js";
import { MANAGER_EVENTS, type ManagerEvents, tell } from "./manager-events.js";
import { GENERAL_OPTIONS, type GeneralOptions, resolveGeneralSettings } from "./settings.js";
import { SSH_SERVER_OPTIONS, SSHServer, type SSHServerOptions, sessionsOf } from "./ssh-server.js";
import { SSHServerManager, startOn } from "./ssh-server-manager.js";
import { checkStream, type StreamInfo } from "./stream-info.js";

/** Options of `createServer`. */
export interface ServerOptions<Data = unknown> extends SSHServerOptions<Data>, GeneralOptions {
  /** The host key: a file, which is made with mode 0600 if it is not there, a key or another signer; or a list of them. */
  readonly hostKey: HostKeyOption;
}

/** Options of `Server.listen`. */
export interface ServerListenOptions {
  /** Closes the server when it fires. */
  readonly signal?: AbortSignal;
}

const LOOPBACK = "127.0.0.1";

/**
 * Makes a server of declarations: who gets in, and what they may do. Whatever is not declared is refused. It is an SSHServer with
 * an SSHServerManager, which take the same declarations.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function createServer<Data = unknown>(options: ServerOptions<Data>): Server<Data> {
  return new Server(options);
}

/** A server that `createServer` has made. Its events are those of `ManagerEvents`; a listener that throws harms nobody. */
export class Server<Data = unknown> extends EventEmitter<ManagerEvents<Data>> implements AsyncDisposable {
  #declaration: Declaration;
  /** The middleware that was added by `use`. */
  readonly #used: Middleware[] = [];
  readonly #reloads = new Semaphore(1);
  /** There as soon as the host keys are. */
  #manager: SSHServerManager | undefined;
  #making: Promise<SSHServerManager> | undefined;
  #starting: Promise<void> | undefined;
  /** How often the server was closed. */
  #closes = 0;
  /** Takes the listener of the signal back that was given to `listen`. */
  #forgetSignal: (() => void) | undefined;

  /** @internal `createServer` makes it. */
  constructor(given: ServerOptions<Data>) {
    super();
    this.#declaration = declare(given as ServerOptions);
  }

  /** The port listened on, or the first of them. @throws {Error} while the server does not listen, and where it has no port */
  get port(): number {
    return this.#listening.port;
  }

  /** The address of that port. @throws {Error} while the server does not listen, and where it has no port */
  get address(): string {
    return this.#listening.address;
  }

  /** The addresses listened on, in the order given. @throws {Error} while the server does not listen */
  get addresses(): readonly BoundAddress[] {
    return this.#listening.addresses;
  }

  /** The connections that are open. Each has `disconnect()`. */
  get connections(): readonly Connection<Data>[] {
    return (this.#manager?.getActiveConnections() ?? []) as readonly Connection<Data>[];
  }

  /** What has come and gone since the server was made. */
  get statistics(): ConnectionStats {
    return this.#manager?.getConnectionStats() ?? noConnections();
  }

  /**
   * Adds middleware inside that which is there, for sessions that begin later.
   *
   * @throws {ConfigurationError} when it is not a function
   */
  use(...middleware: readonly Middleware<Data>[]): this {
    for (const layer of middleware as readonly Middleware[]) {
      sessionsOf(this.#declaration.server).use(layer);
      this.#used.push(layer);
    }
    return this;
  }

  /**
   * Resolves once the server listens.
   *
   * @param port 0 lets the system choose
   * @param host the address; `0.0.0.0` or `::` for all of this machine
   * @throws {ConfigurationError} when the host key cannot be used, or the address or port cannot be listened on
   */
  listen(port: number, host?: string, options?: ServerListenOptions): Promise<void>;
  /**
   * Listens on ports of TCP, sockets of the file system, or both: on all of them or none. The limits are for all together. A
   * client that comes by a socket of the file system has no address: `allowFrom` lets none in there, and no limit for sources
   * holds.
   *
   * @param addresses a port without a `host` is one of 127.0.0.1
   * @throws {ConfigurationError} likewise, naming the address that cannot be listened on
   */
  listen(addresses: ListenAddress | readonly ListenAddress[], options?: ServerListenOptions): Promise<void>;
  async listen(
    where: number | ListenAddress | readonly ListenAddress[],
    second?: string | ServerListenOptions,
    third?: ServerListenOptions,
  ): Promise<void> {
    const [places, options = {}] =
      typeof where === "object" && where !== null
        ? [checkListenAddresses("listen", where, LOOPBACK), second as ServerListenOptions | undefined]
        : [[portPlace(where, second as string | undefined)], third];
    const { signal } = checkOptions(options, ["signal"]);
    if (signal !== undefined) checkSignal("signal", signal).throwIfAborted();
    if (this.#manager?.isRunning() || this.#starting !== undefined) throw new Error("the server listens already");
    this.#starting = this.#start(places);
    try {
      await this.#starting;
    } finally {
      this.#starting = undefined;
    }
    const closed = () => void this.close();
    signal?.addEventListener("abort", closed, { once: true });
    this.#forgetSignal = () => signal?.removeEventListener("abort", closed);
    if (signal?.aborted) {
      await this.close();
      signal.throwIfAborted();
    }
  }

  /**
   * Serves SSH over any byte stream: a socket, stdin and stdout, a WebSocket. The limits hold for it as for accepted
   * connections; the server need not listen.
   *
   * @param info the origin of the stream, if the stream does not know it
   * @throws {ConfigurationError} when the host key, the stream or `info` cannot be used; the stream is destroyed then, as it is where the
   *   server was closed before the host keys were there
   */
  async handleConnection(stream: Duplex, info?: StreamInfo): Promise<Connection<Data>> {
    checkStream(stream);
    // While the host keys are awaited, nothing listens yet.
    const ignore = () => {};
    stream.on("error", ignore);
    const closes = this.#closes;
    try {
      const manager = this.#manager ?? (await this.#made());
      if (this.#closes !== closes) throw new Error("the server was closed");
      return manager.handleConnection(stream, info) as Connection<Data>;
    } catch (error) {
      stream.destroy();
      throw error;
    } finally {
      setImmediate(() => stream.off("error", ignore));
    }
  }

  /**
   * New declarations and settings for connections that are to come, as if the server had been made with these options; without
   * options its files are read again. A host key that is a file has to be there. Connections that are open go on with what they
   * have begun with. Counts, penalties and middleware of `use` stay. A reload waits for one that is under way.
   *
   * @throws {ConfigurationError} naming the option that cannot be used, or cannot be changed: the old ones stay in force
   */
  reload(options?: ServerOptions<Data>): Promise<void> {
    return this.#reloads.run(async () => {
      const next = declare(options === undefined ? this.#declaration.given : (options as ServerOptions));
      await this.#making?.catch(() => {});
      const manager = this.#manager;
      const serverKeys = manager && (await reloadHostKeys(next.hostKeys));
      const used = [...this.#used];
      for (const layer of used) sessionsOf(next.server).use(layer);
      if (serverKeys !== undefined) {
        await manager?.reload({ ...next.general, serverInterface: next.server, serverKeys });
      }
      // Those that were added meanwhile.
      for (const layer of this.#used.slice(used.length)) sessionsOf(next.server).use(layer);
      this.#declaration = next;
    });
  }

  /**
   * Frees the addresses at once and takes nobody new, while the connections that are open go on until they end by themselves.
   * Resolves when all are gone; those that are left at the deadline are ended by `close()`, which may be called before.
   *
   * @throws {ConfigurationError} when the deadline cannot be used
   */
  async stopListening(options: DrainOptions = {}): Promise<void> {
    resolveDrain(options);
    this.#closes++;
    await this.#starting?.catch(() => {});
    await this.#manager?.stopListening(options);
    this.#forgetSignal?.();
  }

  /**
   * Frees the port at once, fires the signal of every session, and resolves when all connections are closed.
   *
   * @param options.grace seconds that the handlers of sessions get to end; transfers of files end at once; default 5
   * @throws {ConfigurationError} when the grace is not a number from 0 to 3600
   */
  async close(options: { readonly grace?: number } = {}): Promise<void> {
    const { grace = 5 } = checkOptions(options, ["grace"]);
    checkNumber("grace", grace, 0, 3600);
    this.#closes++;
    await this.#starting?.catch(() => {});
    this.#forgetSignal?.();
    await this.#manager?.stopServer({ gracePeriod: grace });
  }

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #listening(): SSHServerManager {
    if (this.#manager === undefined || !this.#manager.isRunning()) throw new Error("the server does not listen");
    return this.#manager;
  }

  async #start(places: readonly Place[]): Promise<void> {
    const manager = this.#manager ?? (await this.#made());
    await startOn(manager, places);
  }

  async #made(): Promise<SSHServerManager> {
    this.#making ??= this.#make();
    try {
      return await this.#making;
    } finally {
      this.#making = undefined;
    }
  }

  async #make(): Promise<SSHServerManager> {
    const { server: serverInterface, hostKeys, general, logger } = this.#declaration;
    const serverKeys = await loadHostKeys(hostKeys, (path, key) => {
      const fingerprint = key.fingerprint();
      logger.warn({ path: loggedPath(resolve(path)), fingerprint }, "a host key was made");
    });
    const manager = new SSHServerManager({ ...general, serverInterface, serverKeys });
    for (const event of MANAGER_EVENTS) {
      manager.on(event, (...parameters: unknown[]) => this.#pass(event, parameters as never));
    }
    this.#manager = manager;
    return manager;
  }

  #pass<Name extends keyof ManagerEvents>(event: Name, parameters: ManagerEvents[Name]): void {
    tell(this, event, parameters, (error) =>
      this.#declaration.logger.error({ event, err: error }, "a listener of the server has failed"),
    );
  }
}

/** The options of a server, checked, and what is made of them. */
interface Declaration {
  readonly given: ServerOptions;
  readonly server: SSHServer;
  readonly hostKeys: readonly (string | HostKey)[];
  readonly general: GeneralOptions;
  readonly logger: Logger;
}

export const SERVER_OPTIONS: readonly (keyof ServerOptions)[] = ["hostKey", ...SSH_SERVER_OPTIONS, ...GENERAL_OPTIONS];

/** @throws {ConfigurationError} naming the option that cannot be used */
function declare(given: ServerOptions): Declaration {
  const options = checkOptions(given, SERVER_OPTIONS);
  const hostKeys = checkHostKeyOption(options.hostKey);
  const server = new SSHServer(selected(options, SSH_SERVER_OPTIONS));
  const general = selected(options, GENERAL_OPTIONS);
  return { given, server, hostKeys, general, logger: resolveGeneralSettings(general).logger };
}

function portPlace(port: number, host = LOOPBACK): Place {
  return checkPort(host, port, { host: "host", port: "port" });
}

function selected<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Pick<Options, Name> {
  const given = names.filter((name) => name in options);
  return Object.fromEntries(given.map((name) => [name, options[name]])) as Pick<Options, Name>;
}
