import type { MaybePromise } from "../base/maybe-promise.js";
import { portOf } from "../connection/channel.js";
import type { Connection } from "../session/connection.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { SessionForwarding } from "../session/session-forwarding.js";
import { Agent } from "./agent/agent.js";
import type { ForwardingDecision } from "./decision.js";
import type { ListenContext, ListenProblem } from "./forwarded-connections.js";
import type { ForwardingKind, ForwardingLog, SessionForwardingLog } from "./forwarding-log.js";
import { ListenLedger, type ListenSettings, resolveListenOptions } from "./listen-options.js";
import { LocalForwarding, type LocalForwardingSettings } from "./local-forwarding.js";
import { connectTimeoutOf, type ForwardingOptions } from "./options.js";
import { connectSocket } from "./stream-local/connect-socket.js";
import { SocketListeners } from "./stream-local/socket-listeners.js";
import type { LocalTarget } from "./target.js";
import { TargetConnector } from "./tcp/connect-target.js";
import { PortListeners } from "./tcp/port-listeners.js";
import { X11Displays } from "./x11/x11-displays.js";
import { X11Forwarding } from "./x11/x11-forwarding.js";
import { isWellFormed } from "./x11/x11-request.js";

/** The forwarding of a server: what its clients share. */
export class ServerForwarding {
  readonly #local: LocalForwardingSettings;
  readonly #listen: ListenSettings;
  readonly #ledger: ListenLedger;
  #displays = new X11Displays();

  /**
   * @param options which are checked
   * @param maxChannels that one client may have
   */
  constructor(options: ForwardingOptions, maxChannels: number) {
    const connector = new TargetConnector({ lookup: options.lookup });
    this.#listen = resolveListenOptions(options);
    this.#ledger = new ListenLedger(this.#listen);
    const { socketRoots: roots } = this.#listen;
    this.#local = {
      connectTimeout: connectTimeoutOf(options),
      maxTargets: maxChannels,
      connectToPort: (target, request) => connector.connect(target, request),
      connectToSocket: (path, signal) => connectSocket(path, { roots, signal }),
    };
  }

  /** Takes the place of another one, which new clients do not come to any more. */
  succeed(forwarding: ServerForwarding): void {
    this.#ledger.succeed(forwarding.#ledger);
    this.#displays = forwarding.#displays;
  }

  /** @param decide asks about a target */
  forClient(
    connection: Connection,
    decide: (target: LocalTarget) => MaybePromise<ForwardingDecision>,
    log: ForwardingLog,
  ): ClientForwarding {
    const context = (kind: ForwardingKind): ListenContext => ({
      connection,
      settings: this.#listen,
      places,
      report: ({ listener, reason, cause }: ListenProblem) =>
        log.refused(kind, reason, { target: listener, err: cause }),
      ended: (listener, joined) => log.ended(kind, listener, joined),
    });
    const places = this.#ledger.forClient();
    const sessionLog = (kind: ForwardingKind, channel: SessionChannel): SessionForwardingLog => ({
      refused: (problem, err) => log.refused(kind, problem, { err }),
      notRemoved: (problem, err) => portOf(channel).warn(problem, { err }),
      ended: (joined) => log.ended(kind, undefined, joined),
    });
    return {
      local: new LocalForwarding(this.#local, connection, decide, log),
      ports: new PortListeners(context("tcpip-forward")),
      sockets: new SocketListeners(context("streamlocal-forward@openssh.com")),
      sessions: {
        agent: (channel) => new Agent(channel, sessionLog("auth-agent-req@openssh.com", channel)),
        x11: (channel, request) =>
          isWellFormed(request)
            ? new X11Forwarding(channel, request, this.#displays, sessionLog("x11-req", channel))
            : undefined,
      },
    };
  }
}

/** The forwarding of one client. All of it ends with the connection. */
export interface ClientForwarding {
  readonly local: LocalForwarding;
  readonly ports: PortListeners;
  readonly sockets: SocketListeners;
  readonly sessions: SessionForwarding;
}
