import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Connection } from "../connection/connection.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ConfigurationError } from "../protocol/errors.js";
import { ServerConnection, type StreamInfo } from "./server-connection.js";
import {
  checkInteger,
  checkNumber,
  resolveSettings,
  type ServerSettings,
  type SSHServerManagerOptions,
} from "./settings.js";

/** What a server has done since it was made. */
export interface ConnectionStats {
  /** Connections accepted, open and closed. */
  readonly accepted: number;
  /** Connections refused because there were too many. */
  readonly refused: number;
  /** Connections open now. */
  readonly active: number;
  /** Connections open now on which somebody has logged in. */
  readonly authenticated: number;
  /** Bytes on the wire. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

const SHUTTING_DOWN = "the server is shutting down";

/** Runs a server: listens, accepts, keeps the limits. */
export class SSHServerManager implements AsyncDisposable {
  #settings: ServerSettings;
  readonly #bindAddress: string;
  readonly #requestedPort: number;
  readonly #connections = new Map<number, ServerConnection>();
  /** Too many: they are told so and closed. */
  readonly #refusing = new Set<ServerConnection>();
  /** Closed connections for which an authentication hook still works. */
  #lingering = 0;
  #listener: Server | undefined;
  #starting: Promise<Server> | undefined;
  #maxConnections = 1000;
  #accepted = 0;
  #refused = 0;
  #closedBytesReceived = 0;
  #closedBytesSent = 0;
  #allClosed: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws {ConfigurationError} naming the option that cannot be used */
  constructor(options: SSHServerManagerOptions) {
    this.#settings = resolveSettings(options);
    this.#bindAddress = checkAddress(options.bindAddress ?? "0.0.0.0");
    this.#requestedPort = checkInteger("port", options.port ?? 22, 0, 65_535);
  }

  /** The port listened on. @throws {Error} while the server does not run */
  get port(): number {
    const address = this.#listener?.address();
    if (typeof address !== "object" || address === null) throw new Error("the server does not run");
    return address.port;
  }

  isRunning(): boolean {
    return this.#listener?.listening ?? false;
  }

  /**
   * Resolves once the server listens. A stop that is under way comes to its end first.
   *
   * @throws {ConfigurationError} when the address or port cannot be listened on; its cause is the system's error
   */
  async startServer(): Promise<void> {
    if (this.#listener !== undefined || this.#starting !== undefined) throw new Error("the server runs already");
    this.#starting = (this.#stopping ?? Promise.resolve()).then(() => this.#listen());
    try {
      this.#listener = await this.#starting;
    } finally {
      this.#starting = undefined;
    }
    this.#settings.logger.info({ address: this.#bindAddress, port: this.port }, "the server listens");
  }

  /**
   * Frees the port at once, tells every client with SSH_MSG_DISCONNECT, and resolves when all connections are closed.
   *
   * @param options.gracePeriod seconds that clients get to take what was sent to them; default 5
   */
  async stopServer(options: { readonly gracePeriod?: number } = {}): Promise<void> {
    const gracePeriod = 1000 * checkNumber("gracePeriod", options.gracePeriod ?? 5, 0, 3600);
    if (this.#starting !== undefined) await this.#starting.catch(() => {});
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.close();
    this.#stopping ??= this.#closeConnections(gracePeriod).finally(() => {
      this.#stopping = undefined;
    });
    await this.#stopping;
    if (listener !== undefined) this.#settings.logger.info({}, "the server has stopped");
  }

  async #closeConnections(gracePeriod: number): Promise<void> {
    if (this.#connections.size + this.#refusing.size === 0) return;
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve;
    });
    for (const connection of [...this.#connections.values()]) {
      connection.disconnect(DisconnectReason.BY_APPLICATION, SHUTTING_DOWN, gracePeriod);
    }
    await allClosed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stopServer();
  }

  /** Connections that may be open together, authenticated or not. Default 1000. */
  setMaxConnections(count: number): void {
    this.#checkStopped("maxConnections");
    this.#maxConnections = checkInteger("maxConnections", count, 1, 1_000_000);
  }

  /** Seconds from accepting a connection to the end of its first key exchange. Default 30. */
  setConnectionTimeout(seconds: number): void {
    this.#checkStopped("connectionTimeout");
    const connectionTimeout = 1000 * checkNumber("connectionTimeout", seconds, 0.001, 86_400);
    this.#settings = { ...this.#settings, connectionTimeout };
  }

  /** Seconds from the end of the first key exchange to a login. Default 120. */
  setAuthTimeout(seconds: number): void {
    this.#checkStopped("authTimeout");
    this.#settings = { ...this.#settings, authTimeout: 1000 * checkNumber("authTimeout", seconds, 0.001, 86_400) };
  }

  getConnectionCount(): number {
    return this.#connections.size;
  }

  getConnectionStats(): ConnectionStats {
    const connections = this.getActiveConnections();
    const sum = (count: (connection: Connection) => number) =>
      connections.reduce((total, connection) => total + count(connection), 0);
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      active: connections.length,
      authenticated: sum(({ identity }) => (identity === undefined ? 0 : 1)),
      bytesReceived: this.#closedBytesReceived + sum(({ bytesReceived }) => bytesReceived),
      bytesSent: this.#closedBytesSent + sum(({ bytesSent }) => bytesSent),
    };
  }

  getActiveConnections(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  /** Ends a connection with SSH_MSG_DISCONNECT. Returns whether there was one with this `id`. */
  closeConnection(id: number): boolean {
    const connection = this.#connections.get(id);
    connection?.disconnect();
    return connection !== undefined;
  }

  /**
   * Serves SSH over any byte stream: a socket, stdin and stdout, a WebSocket. The limits hold for it as for accepted
   * connections; the server need not be started.
   *
   * @param info where the stream comes from, if the stream does not know
   */
  handleConnection(stream: Duplex, info: StreamInfo = addressOf(stream)): Connection {
    const connection = new ServerConnection(stream, info, this.#settings, (closed) => this.#connectionClosed(closed));
    if (this.#full || this.#stopping !== undefined) {
      this.#refused++;
      this.#refusing.add(connection);
      connection.start();
      if (this.#full) connection.disconnect(DisconnectReason.TOO_MANY_CONNECTIONS, "too many connections");
      else connection.disconnect(DisconnectReason.BY_APPLICATION, SHUTTING_DOWN);
    } else {
      this.#accepted++;
      this.#connections.set(connection.id, connection);
      connection.start();
    }
    return connection;
  }

  get #full(): boolean {
    return this.#connections.size + this.#lingering >= this.#maxConnections;
  }

  #listen(): Promise<Server> {
    return new Promise((resolve, reject) => {
      const listener = createServer((socket: Socket) => this.#accept(socket));
      listener.once("error", (error: NodeJS.ErrnoException) =>
        reject(listenError(error, this.#bindAddress, this.#requestedPort)),
      );
      listener.listen(this.#requestedPort, this.#bindAddress, () => {
        listener.removeAllListeners("error");
        listener.on("error", (error) =>
          this.#settings.logger.error({ err: error }, "a connection could not be accepted"),
        );
        resolve(listener);
      });
    });
  }

  #accept(socket: Socket): void {
    if (this.#full && this.#refusing.size >= this.#maxConnections) {
      this.#refused++;
      socket.destroy();
      return;
    }
    try {
      this.handleConnection(socket);
    } catch (error) {
      this.#settings.logger.error({ err: error }, "a connection could not be served");
      socket.destroy();
    }
  }

  #connectionClosed(connection: ServerConnection): void {
    this.#connections.delete(connection.id);
    this.#closedBytesReceived += connection.bytesReceived;
    this.#closedBytesSent += connection.bytesSent;
    if (!this.#refusing.delete(connection)) this.#countUntilSettled(connection);
    if (this.#connections.size + this.#refusing.size === 0) this.#allClosed?.();
  }

  /** A client that leaves while a hook works for it must not make room for another one at once. */
  #countUntilSettled(connection: ServerConnection): void {
    this.#lingering++;
    let counted = true;
    const settle = () => {
      if (counted) this.#lingering--;
      counted = false;
      clearTimeout(timer);
    };
    const timer = setTimeout(settle, this.#settings.authTimeout).unref();
    connection.hooksSettled.then(settle, settle);
  }

  #checkStopped(option: string): void {
    if (this.#listener !== undefined || this.#starting !== undefined) {
      throw new ConfigurationError(option, "cannot be changed while the server runs");
    }
  }
}

/** Node.js would take an empty address for all addresses. */
function checkAddress(address: string): string {
  if (typeof address === "string" && address !== "") return address;
  throw new ConfigurationError("bindAddress", `must be an address, not ${JSON.stringify(address)}`);
}

function addressOf(stream: Duplex): StreamInfo {
  const { remoteAddress, remotePort } = stream as Partial<Socket>;
  return { remoteAddress, remotePort };
}

function listenError(error: NodeJS.ErrnoException, address: string, port: number): ConfigurationError {
  const options = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigurationError("port", `${address} port ${port} is already in use`, options);
    case "EACCES":
      return new ConfigurationError("port", `no permission to listen on ${address} port ${port}`, options);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EINVAL":
      return new ConfigurationError("bindAddress", `${address} is not an address of this machine`, options);
    default:
      return new ConfigurationError(
        "bindAddress",
        `cannot listen on ${address} port ${port}: ${error.message}`,
        options,
      );
  }
}
