import { checkChoice, checkFlag, checkInteger, checkLimit } from "../base/option-checks.js";
import { Places } from "./places.js";
import { checkSocketRoots } from "./stream-local/socket-roots.js";
import { GATEWAY_PORTS, type GatewayPorts } from "./tcp/bind-addresses.js";

/** Rules for listening for a client: `ssh -R`. */
export interface ListenOptions {
  /**
   * Which addresses are listened on, as GatewayPorts of sshd_config(5): `no` listens on loopback, whatever the client asks
   * for, `yes` on all addresses, and `clientspecified` on those that the client asks for. Default `no`.
   */
  readonly gatewayPorts?: GatewayPorts;
  /** Whether clients may have ports under 1024 listened on, which the system may still refuse. Default false. */
  readonly privilegedPorts?: boolean;
  /**
   * Folders, by absolute paths, in which clients may have sockets of the file system listened on, and be connected to them.
   * Other users of the machine must not be able to write them. Default none.
   */
  readonly socketRoots?: readonly string[];
  /** Permission bits that a socket does not have: StreamLocalBindMask of sshd_config(5). Default 0o177. */
  readonly socketBindMask?: number;
  /**
   * Whether a socket that is there already is replaced, by which its server loses it: StreamLocalBindUnlink of
   * sshd_config(5). Anything but a socket stays. Default false.
   */
  readonly socketBindUnlink?: boolean;
  /** Ports and sockets that one client may have listened on; `false` is any number. Default 32. */
  readonly maxListeners?: number | false;
  /** The same of all clients together; with `serveWithWorkers`, of those of each worker. Default 1024. */
  readonly maxListenersPerServer?: number | false;
  /** Connections that may wait for one client to take them; `false` is any number. Default 256. */
  readonly maxPendingConnections?: number | false;
  /** The same of all clients together; with `serveWithWorkers`, of those of each worker. Default 4096. */
  readonly maxPendingConnectionsPerServer?: number | false;
  /** Connections to its listeners that one client may have, those that wait included; `false` is any number. Default 1024. */
  readonly maxForwardedConnections?: number | false;
  /** The same of all clients together; with `serveWithWorkers`, of those of each worker. Default 16384. */
  readonly maxForwardedConnectionsPerServer?: number | false;
}

const LIMITS = {
  maxListeners: 32,
  maxListenersPerServer: 1024,
  maxPendingConnections: 256,
  maxPendingConnectionsPerServer: 4096,
  maxForwardedConnections: 1024,
  maxForwardedConnectionsPerServer: 16_384,
} as const satisfies Partial<Record<keyof ListenOptions, number>>;

type LimitName = keyof typeof LIMITS;

const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

const LARGEST_LIMIT = 1_000_000;

export const LISTEN_OPTIONS: readonly (keyof ListenOptions)[] = [
  "gatewayPorts",
  "privilegedPorts",
  "socketRoots",
  "socketBindMask",
  "socketBindUnlink",
  ...LIMIT_NAMES,
];

/** The options, checked and complete. An option that sets no limit is Infinity. */
export type ListenSettings = Required<Omit<ListenOptions, LimitName>> & Readonly<Record<LimitName, number>>;

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveListenOptions(options: ListenOptions): ListenSettings {
  const limit = (name: LimitName) => checkLimit(`forwarding.${name}`, options[name] ?? LIMITS[name], 1, LARGEST_LIMIT);
  return {
    gatewayPorts: checkChoice("forwarding.gatewayPorts", options.gatewayPorts ?? "no", GATEWAY_PORTS),
    privilegedPorts: checkFlag("forwarding.privilegedPorts", options.privilegedPorts ?? false),
    socketRoots: checkSocketRoots("forwarding.socketRoots", options.socketRoots ?? []),
    socketBindMask: checkInteger("forwarding.socketBindMask", options.socketBindMask ?? 0o177, 0, 0o777),
    socketBindUnlink: checkFlag("forwarding.socketBindUnlink", options.socketBindUnlink ?? false),
    ...(Object.fromEntries(LIMIT_NAMES.map((name) => [name, limit(name)])) as Record<LimitName, number>),
  };
}

/** The places of one client; its ports and sockets share them. */
export interface ListenPlaces {
  readonly listeners: Places;
  /** Connections that wait for the client to take them. */
  readonly pending: Places;
  /** Connections, those that wait included. */
  readonly connections: Places;
}

/** The places of all clients of a server. */
export class ListenLedger {
  readonly #settings: ListenSettings;
  #all: ListenPlaces;

  constructor(settings: ListenSettings) {
    this.#settings = settings;
    this.#all = {
      listeners: new Places(settings.maxListenersPerServer),
      pending: new Places(settings.maxPendingConnectionsPerServer),
      connections: new Places(settings.maxForwardedConnectionsPerServer),
    };
  }

  /** Goes on from a ledger that is not used for new clients any more: what its clients have counts, by these limits. */
  succeed(ledger: ListenLedger): void {
    this.#all = ledger.#all;
    this.#all.listeners.limit = this.#settings.maxListenersPerServer;
    this.#all.pending.limit = this.#settings.maxPendingConnectionsPerServer;
    this.#all.connections.limit = this.#settings.maxForwardedConnectionsPerServer;
  }

  forClient(): ListenPlaces {
    return {
      listeners: new Places(this.#settings.maxListeners, this.#all.listeners),
      pending: new Places(this.#settings.maxPendingConnections, this.#all.pending),
      connections: new Places(this.#settings.maxForwardedConnections, this.#all.connections),
    };
  }
}
