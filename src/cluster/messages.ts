import { type PenaltyCause, penaltyCauses } from "../server/admission/penalties.js";
import { type RefusalReason, refusalReasons } from "../server/admission/refusal.js";
import type { BoundAddress, Place } from "../server/listeners/listen-address.js";
import type { StreamInfo } from "../server/stream-info.js";
import {
  type Check,
  fields,
  finite,
  flag,
  integer,
  list,
  nothing,
  oneOf,
  optional,
  text,
} from "./calls/message-checks.js";
import type { Notice, Operation } from "./calls/operation.js";
import { boundAddress, place } from "./place-checks.js";
import { type Problem, problem } from "./problem.js";

/** What the primary and its workers say to each other. A worker speaks first. */

const MAX_ADDRESS = 4096;

/** Of a place or a server. */
const MAX_NAME = 5000;
const MAX_PLACES = 64;
const MAX_CONNECTIONS = 1_000_000;

/** Of base64: bytes that the primary may have read behind the header of a proxy. */
const MAX_HEAD = 2 * 1024 * 1024;

/** Of base64: what `prepare` may return. */
export const MAX_DATA = 64 * 1024 * 1024;

/** Seconds. */
const LONGEST = 2 ** 31 / 1000;

const anything: Check<unknown> = (value) => value;
const count = integer(0);
const id = integer(1);
const seconds: Check<number> = (value) => Math.min(Math.max(finite(value), 0), LONGEST);
const address = text(MAX_ADDRESS);
const port = integer(0, 65_535);

/** A user name as it is counted: a longer one by its hash. */
export const MAX_COUNTED_NAME = 256;
const username = text(MAX_COUNTED_NAME);

// --- from a worker

/** The program has come to `serveWithWorkers`. */
export const HELLO: Notice<undefined> = { name: "hello", value: nothing };

/** What a worker has done so far, and what it does. */
export interface WorkerCounts {
  /** Connections, those included that its own program has handed over. */
  readonly accepted: number;
  readonly active: number;
  readonly authenticated: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

const counts: Check<WorkerCounts> = fields({
  accepted: count,
  active: count,
  authenticated: count,
  bytesReceived: count,
  bytesSent: count,
});

/** The event loop of a worker turns. */
export const BEAT: Notice<WorkerCounts> = { name: "beat", value: counts };

export interface ListenRequest {
  /** The same for the same server of each worker. */
  readonly desk: string;
  readonly places: readonly NamedPlace[];
  readonly maxConnections: number;
  /** Options of admission, which the primary checks as those of a program. */
  readonly admission: unknown;
}

export interface NamedPlace {
  /** The same for the same place of each worker. */
  readonly name: string;
  readonly place: Place;
}

export interface ListenAnswer {
  /** In the order of the places. */
  readonly addresses: readonly BoundAddress[];
  /** In place of them. */
  readonly problem: Problem | undefined;
}

const name = text(MAX_NAME);

/** A server of a worker wants to be connected to. */
export const LISTEN: Operation<ListenRequest, ListenAnswer> = {
  name: "listen",
  request: fields({
    desk: name,
    places: list(fields({ name, place }), MAX_PLACES),
    maxConnections: integer(1, MAX_CONNECTIONS),
    admission: anything,
  }),
  answer: fields({ addresses: list(boundAddress, MAX_PLACES), problem: optional(problem) }),
};

/** A server of a worker does not want any more connections. */
export const UNLISTEN: Notice<{ readonly desk: string }> = { name: "unlisten", value: fields({ desk: name }) };

export interface Login {
  readonly id: number;
  readonly username: string;
}

/** Of a kind, in one message. */
export const MAX_REPORTS = 1000;

/** What has become of connections, which happens to each of them in this order. */
export const REPORTS: Notice<{
  /** Their sockets have come. */
  readonly taken: readonly number[];
  /** Somebody has logged in. */
  readonly loggedIn: readonly Login[];
  /** Nothing is left of them. */
  readonly gone: readonly number[];
}> = {
  name: "reports",
  value: fields({
    taken: list(id, MAX_REPORTS),
    loggedIn: list(fields({ id, username }), MAX_REPORTS),
    gone: list(id, MAX_REPORTS),
  }),
};

/** A user has logged in: may this user have one connection more? */
export const LOG_IN: Operation<Login, boolean> = { name: "log in", request: fields({ id, username }), answer: flag };

/** The client of a connection has misbehaved. */
export const PENALISE: Operation<
  { readonly id: number; readonly cause: PenaltyCause },
  { readonly seconds: number; readonly enforced: boolean } | undefined
> = {
  name: "penalise",
  request: fields({ id, cause: oneOf(...penaltyCauses) }),
  answer: optional(fields({ seconds: finite, enforced: flag })),
};

// --- to a worker

export interface StartRequest {
  /** From `prepare`: what `v8.serialize` makes of it, in base64. */
  readonly data: string;
  /** Between two beats. */
  readonly beatSeconds: number;
}

/** Answered once the worker listens. */
export const START: Operation<StartRequest, Problem | undefined> = {
  name: "start",
  request: fields({ data: text(MAX_DATA), beatSeconds: seconds }),
  answer: optional(problem),
};

export interface HandedConnection {
  readonly id: number;
  readonly desk: string;
  readonly info: StreamInfo;
  /** What the client has sent behind the header of a proxy, in base64. */
  readonly head: string | undefined;
  /** The client is only to be told that it is refused. */
  readonly refusal: RefusalReason | undefined;
  /** `sharedNow()` from which on the worker must not take it: another one may have it. */
  readonly until: number;
  /** What becomes of it is to be told at once: somebody may come for its place. */
  readonly isUrgent: boolean;
}

const info: Check<StreamInfo> = fields({
  remoteAddress: optional(address),
  remotePort: optional(port),
  localAddress: optional(address),
  localPort: optional(port),
});

/** A socket comes with it. */
export const CONNECTION: Notice<HandedConnection> = {
  name: "connection",
  value: fields({
    id,
    desk: name,
    info,
    head: optional(text(MAX_HEAD)),
    refusal: optional(oneOf(...refusalReasons)),
    until: finite,
    isUrgent: flag,
  }),
};

/** From now on, what becomes of the connections that were sent so far is to be told at once. */
export const HURRY: Notice<undefined> = { name: "hurry", value: nothing };

export const COUNT: Operation<undefined, WorkerCounts> = { name: "count", request: nothing, answer: counts };

export interface ConnectionFacts {
  readonly id: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly username: string | undefined;
  readonly clientVersion: string;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  readonly channelCount: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Longest text of a client that is told: the rest is cut. */
export const MAX_CLIENT_TEXT = 256;

export const LIST: Operation<undefined, readonly ConnectionFacts[]> = {
  name: "list",
  request: nothing,
  answer: list(
    fields({
      id,
      remoteAddress: optional(address),
      remotePort: optional(port),
      username: optional(text(MAX_CLIENT_TEXT)),
      clientVersion: text(MAX_CLIENT_TEXT),
      connectedAt: finite,
      channelCount: count,
      bytesReceived: count,
      bytesSent: count,
    }),
    MAX_CONNECTIONS,
  ),
};

/** Ends a connection. Answers whether there was one. */
export const CLOSE: Operation<number, boolean> = { name: "close", request: id, answer: flag };

/** No more connections will come: the worker ends when those that it has are over, or the time is, if there is one. */
export const RETIRE: Notice<{ readonly seconds: number | undefined; readonly grace: number }> = {
  name: "retire",
  value: fields({ seconds: optional(seconds), grace: seconds }),
};

/** The worker ends its connections, and then itself. */
export const STOP: Notice<{ readonly grace: number }> = { name: "stop", value: fields({ grace: seconds }) };
