import type { Socket } from "node:net";
import { ChannelOpenError } from "../connection/channel-open-error.js";
import { readDirectly } from "../endpoint/direct-reads.js";
import type { Connection } from "../session/connection.js";
import { type Joined, join } from "./join.js";
import type { ListenPlaces, ListenSettings } from "./listen-options.js";
import { resetSocket } from "./reset-socket.js";

/** A failure to listen, or to lead a connection to its client. */
export interface ListenProblem {
  /** `ADDRESS:PORT` or a path as the client says it, cut and escaped. */
  readonly listener: string;
  /** One of few texts, so that refusals can be counted by it. */
  readonly reason: string;
  /** The error behind it, unless the reason says all. */
  readonly cause?: unknown;
}

/** The client that is listened for, and its limits. */
export interface ListenContext {
  readonly connection: Pick<Connection, "openChannel" | "signal">;
  readonly settings: ListenSettings;
  readonly places: ListenPlaces;
  report(problem: ListenProblem): void;
  /** A connection that was led to the client is over. */
  ended(listener: string, joined: Joined): void;
}

/** The channel that leads a connection to the client. */
export interface ForwardedChannel {
  readonly kind: "forwarded-tcpip" | "forwarded-streamlocal@openssh.com";
  readonly fields: Buffer;
  readonly listener: ListenProblem["listener"];
}

/**
 * Leads a connection that was accepted to the client, by a channel of its own. It is reset where the client does not take
 * it, and where there are too many.
 *
 * @returns resolves when nothing of it is left
 */
export async function forwardConnection(
  context: ListenContext,
  socket: Socket,
  { kind, fields, listener }: ForwardedChannel,
): Promise<void> {
  const { connection, places, report } = context;
  readDirectly(socket);
  // A socket that fails is closed, which is all that matters here.
  socket.on("error", () => {});
  const releaseConnection = places.connections.take();
  const releasePending = places.pending.take();
  try {
    if (releaseConnection === undefined) throw new Unforwarded("too many connections are forwarded");
    if (releasePending === undefined) throw new Unforwarded("too many connections wait for the client");
    const channel = await connection.openChannel(kind, fields);
    releasePending();
    context.ended(listener, await join(channel, socket, { signal: connection.signal }));
  } catch (error) {
    resetSocket(socket);
    if (!connection.signal.aborted) report({ listener, ...problemOf(error) });
  } finally {
    releasePending?.();
    releaseConnection?.();
  }
}

/** There is no place for a connection. */
class Unforwarded extends Error {}

function problemOf(error: unknown): Omit<ListenProblem, "listener"> {
  if (error instanceof Unforwarded) return { reason: error.message };
  const isRefusal = error instanceof ChannelOpenError;
  return { reason: isRefusal ? "the channel to the client was refused" : "the client has not taken it", cause: error };
}
