import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { inLimitedTime } from "../../base/limited-time.js";
import { ChannelOpenError } from "../../connection/channel-open-error.js";
import { openRefusal } from "../../connection/open-refusal.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_FAILED_CONNECT_FAILED } from "../../protocol/constants.js";
import { holdFile, OutsideRootsError } from "./held-file.js";
import { parseSocketPath } from "./socket-roots.js";

export interface ConnectSocketOptions {
  /** Folders, by absolute paths, in one of which the socket has to be. */
  readonly roots: readonly string[];
  /** Ends the connecting. */
  readonly signal: AbortSignal;
  /** Milliseconds that the connecting may take; Infinity is no limit. */
  readonly timeout: number;
}

/**
 * Connects to a socket of the file system that lies in one of the roots, and does not lead out of them by a link.
 *
 * @param path as the client says it
 * @returns a connected socket, whose errors end it and nothing else
 * @throws {ChannelOpenError} which tells the client no more than whether the path is allowed; the rest is its cause
 */
export async function connectSocket(path: string, { roots, signal, timeout }: ConnectSocketOptions): Promise<Socket> {
  const overdue = () => new Error("the connecting has taken too long");
  try {
    return await inLimitedTime(
      { milliseconds: timeout, overdue, signals: [signal] },
      () => connectInside(path, roots),
      (late) => late.destroy(),
    );
  } catch (cause) {
    throw openError(cause);
  }
}

async function connectInside(path: string, roots: readonly string[]): Promise<Socket> {
  const parsed = parseSocketPath(path);
  if (parsed === undefined) throw new OutsideRootsError("it is not the path of a socket");
  const file = await holdFile(path, roots);
  try {
    if (!file.stats.isSocket()) throw new Error("it is not a socket");
    return await connected(connect({ path: file.path, allowHalfOpen: true }));
  } finally {
    await file.release();
  }
}

async function connected(socket: Socket): Promise<Socket> {
  // Stays for good: the connection may break before anybody else listens.
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function openError(cause: unknown): ChannelOpenError {
  const isOutside = cause instanceof OutsideRootsError;
  const reason = isOutside ? OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED : OPEN_FAILED_CONNECT_FAILED;
  return new ChannelOpenError(reason, openRefusal(reason).description, { cause });
}
