import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HookError } from "../base/hook-error.js";
import { inLimitedTime } from "../base/limited-time.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkInteger, checkOptions, checkText, shown } from "../base/option-checks.js";
import { takeRefusalReasons } from "../base/refusal-reasons.js";
import { AcceptedOpen } from "../connection/accepted-open.js";
import { ChannelOpenError } from "../connection/channel-open-error.js";
import { type OpenRefusal, openRefusal } from "../connection/open-refusal.js";
import { mayBeIgnored } from "../connection/pending-answer.js";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_CONNECT_FAILED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
} from "../protocol/constants.js";
import type { AnyChannel, Connection } from "../session/connection.js";
import { connected } from "./connected.js";
import type { ForwardingDecision } from "./decision.js";
import { type ForwardingKind, type ForwardingLog, targetText } from "./forwarding-log.js";
import { isJoinable, join } from "./join.js";
import { openFailure, targetRefusal } from "./open-failure.js";
import { type DirectStreamlocal, type DirectTcpip, MAX_PORT } from "./open-fields.js";
import { Places } from "./places.js";
import type { ConnectOptions, LocalTarget, TcpTarget } from "./target.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The parts of a forwarding that all clients of a server share. */
export interface LocalForwardingSettings {
  /** Milliseconds from the request of a client to the connection with its target. */
  readonly connectTimeout: number;
  /** Targets that one client may be connected to: a channel may be closed while its target has not taken all. */
  readonly maxTargets: number;
  readonly connectToPort: (
    target: { readonly host: string; readonly port: number },
    request: {
      readonly allowAddress?: ConnectOptions["allowAddress"];
      readonly signal: AbortSignal;
      readonly owner: object;
    },
  ) => Promise<Socket>;
  readonly connectToSocket: (path: string, signal: AbortSignal) => Promise<Socket>;
}

/** The name of the hook that decides, for the log. */
const HOOK = "checkLocalForwardRequest";

/** Connects one client to the targets that a decision allows: `ssh -L`, `-D`, `-W`, `-J`. */
export class LocalForwarding {
  readonly #settings: LocalForwardingSettings;
  readonly #connection: Connection;
  readonly #decide: (target: LocalTarget) => MaybePromise<ForwardingDecision>;
  readonly #log: ForwardingLog;
  readonly #places: Places;

  constructor(
    settings: LocalForwardingSettings,
    connection: Connection,
    decide: (target: LocalTarget) => MaybePromise<ForwardingDecision>,
    log: ForwardingLog,
  ) {
    this.#settings = settings;
    this.#connection = connection;
    this.#decide = decide;
    this.#log = log;
    this.#places = new Places(settings.maxTargets);
  }

  /** Decides about a channel of the kind `direct-tcpip` or `direct-streamlocal@openssh.com`. */
  async open(open: DirectTcpip | DirectStreamlocal): Promise<AcceptedOpen<AnyChannel> | OpenRefusal> {
    const kind = "host" in open ? "direct-tcpip" : "direct-streamlocal@openssh.com";
    const name = targetText(open);
    const milliseconds = this.#settings.connectTimeout;
    const overdue = () =>
      openFailure(OPEN_FAILED_CONNECT_FAILED, new Error(`no connection within ${milliseconds / 1000} s`));
    const release = this.#places.take();
    try {
      if (release === undefined) throw new Refused("too many targets", OPEN_FAILED_RESOURCE_SHORTAGE);
      const stream = await inLimitedTime(
        { milliseconds, overdue, signals: [this.#connection.signal] },
        (signal) => this.#stream(open, signal),
        (late) => late.destroy(),
      );
      return new AcceptedOpen(
        (channel) => void this.#join(channel, stream, kind, name).finally(release),
        () => stream.destroy(),
      );
    } catch (error) {
      release?.();
      return this.#refuse(kind, name, error);
    }
  }

  /** @throws {ChannelOpenError} when the client is refused */
  async #stream(open: DirectTcpip | DirectStreamlocal, signal: AbortSignal): Promise<Duplex> {
    const target = this.#target(open, signal);
    const decision: unknown = await this.#decide(target);
    if (decision === true) return await target.connect();
    if (decision === false) {
      const { reason, description } = openRefusal(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
      throw new Refused("refused by the decision", reason, description, takeRefusalReasons(target));
    }
    if (isJoinable(decision)) return await connectedStream(takeStream(decision), signal);
    if (isRefusal(decision)) {
      const { reason, description } = openRefusal(decision);
      throw new Refused("refused by the decision", reason, description);
    }
    throw new HookError(
      HOOK,
      new TypeError(`a decision is true, false, a reason with a description, or a stream, not ${shown(decision)}`),
    );
  }

  #target(open: DirectTcpip | DirectStreamlocal, signal: AbortSignal): LocalTarget {
    const connection = this.#connection;
    const client = { user: connection.username ?? "", connection, signal };
    if ("host" in open) {
      const connect: TcpTarget["connect"] = (options = {}) =>
        untilAborted(signal, () => {
          const { host = open.host, port = open.port, ...policy } = checkConnectOptions(options);
          return this.#settings.connectToPort({ host, port }, { ...policy, signal, owner: connection });
        });
      return { ...open, ...client, connect };
    }
    const path = pathOf(open);
    const connect = (options: object = {}) =>
      untilAborted(signal, async () => {
        // A policy for addresses would allow a socket that it knows nothing of.
        checkOptions(options, [], "connect");
        return this.#settings.connectToSocket(path, signal);
      });
    return { path, ...client, connect };
  }

  async #join(channel: AnyChannel, stream: Duplex, kind: ForwardingKind, target: string | undefined): Promise<void> {
    const { signal } = this.#connection;
    try {
      this.#log.ended(kind, target, await join(channel, stream, { signal }));
    } catch (error) {
      // A stream that throws where it is only listened to.
      channel.destroy();
      this.#log.failed(HOOK, error);
    }
  }

  #refuse(kind: ForwardingKind, target: string | undefined, error: unknown): OpenRefusal {
    if (this.#connection.signal.aborted) return openRefusal(OPEN_FAILED_CONNECT_FAILED);
    if (error instanceof Refused) {
      this.#log.refused(kind, error.refusal, { target, ...(error.why !== undefined && { cause: error.why }) });
      return { reason: error.reason, description: error.description };
    }
    const cause = error instanceof HookError ? error.cause : error;
    if (cause instanceof ChannelOpenError) {
      const isAllowed = cause.reason !== OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
      this.#log.refused(kind, isAllowed ? "not connected" : "the target is not allowed", {
        target,
        err: cause.cause ?? cause,
      });
      // The client gets the reason alone: its description may be about what stands behind this server.
      return targetRefusal(cause.reason);
    }
    this.#log.failed(HOOK, error);
    return openRefusal(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
  }
}

/** A refusal that is not about the connection to the target. */
class Refused extends Error {
  readonly refusal: string;
  readonly reason: number;
  readonly description: string;
  /** For the log, where the decision has told. */
  readonly why: string | undefined;

  constructor(refusal: string, reason: number, description = openRefusal(reason).description, why?: string) {
    super(refusal);
    this.refusal = refusal;
    this.reason = reason;
    this.description = description;
    this.why = why;
  }
}

/**
 * An option that was looked up and not found is an error: without a policy all addresses would be allowed, and in place of a
 * host that is missing the client's would be taken.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
function checkConnectOptions(options: ConnectOptions): ConnectOptions {
  const given = checkOptions(options, ["host", "port", "allowAddress"], "connect");
  if ("host" in given) checkText("connect.host", given.host);
  if ("port" in given) checkInteger("connect.port", given.port, 1, MAX_PORT);
  if ("allowAddress" in given) checkFunction("connect.allowAddress", given.allowAddress);
  return given;
}

/**
 * Connects for a decision, which need not wait for it, and may refuse the client in the end: the signal closes the socket.
 */
function untilAborted(signal: AbortSignal, connect: () => Promise<Socket>): Promise<Socket> {
  const connecting = async () => {
    const socket = await connect();
    const destroy = () => socket.destroy();
    if (signal.aborted) destroy();
    else signal.addEventListener("abort", destroy, { once: true });
    return socket;
  };
  return mayBeIgnored(connecting());
}

/** @throws {Refused} for bytes that are not the path of a socket */
function pathOf({ socketPath }: DirectStreamlocal): string {
  try {
    const path = utf8.decode(socketPath);
    if (path !== "" && !path.includes("\0")) return path;
  } catch {
    // Not UTF-8.
  }
  throw new Refused("not a target", OPEN_FAILED_CONNECT_FAILED);
}

/** The reasons of RFC 4254 §5.1. */
const REASONS: readonly unknown[] = [1, 2, 3, 4];

function isRefusal(decision: unknown): decision is OpenRefusal {
  return (
    typeof decision === "object" &&
    decision !== null &&
    "reason" in decision &&
    REASONS.includes(decision.reason) &&
    "description" in decision &&
    typeof decision.description === "string"
  );
}

/** Streams that decisions have given, for whichever client. */
const takenStreams = new WeakSet<Duplex>();

/** @throws {HookError} when another channel has it: each would get what is meant for the other */
function takeStream(stream: Duplex): Duplex {
  if (takenStreams.has(stream)) throw new HookError(HOOK, new Error("a stream is joined to one channel only"));
  takenStreams.add(stream);
  return stream;
}

/** @throws {ChannelOpenError} when it does not connect */
async function connectedStream(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  try {
    return await connected(stream, signal);
  } catch (error) {
    throw openFailure(OPEN_FAILED_CONNECT_FAILED, error);
  }
}
