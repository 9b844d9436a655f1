import type { Socket } from "node:net";
import type { ChannelOpenError } from "../../connection/channel-open-error.js";
import { connectForDirectReads } from "../../endpoint/direct-reads.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_FAILED_CONNECT_FAILED } from "../../protocol/constants.js";
import { connected } from "../connected.js";
import { openFailure } from "../open-failure.js";
import { holdFile, OutsideRootsError } from "./held-file.js";
import { parseSocketPath } from "./socket-path.js";

export interface ConnectSocketOptions {
  /** Folders, by absolute paths, in one of which the socket has to be. */
  readonly roots: readonly string[];
  /** Ends the connecting. */
  readonly signal: AbortSignal;
}

/**
 * Connects to a socket of the file system that lies in one of the roots, and does not lead out of them by a link.
 *
 * @param path as the client says it
 * @returns a connected socket, whose errors end it and nothing else
 * @throws {ChannelOpenError} which tells the client no more than whether the path is allowed; the rest is its cause
 */
export async function connectSocket(path: string, { roots, signal }: ConnectSocketOptions): Promise<Socket> {
  try {
    return await connectInside(path, roots, signal);
  } catch (cause) {
    throw openError(cause);
  }
}

async function connectInside(path: string, roots: readonly string[], signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  if (parseSocketPath(path) === undefined) throw new OutsideRootsError("it is not the path of a socket");
  const file = await holdFile(path, roots);
  try {
    signal.throwIfAborted();
    if (!file.stats.isSocket()) throw new Error("it is not a socket");
    return await connected(connectForDirectReads({ path: file.path, allowHalfOpen: true }), signal);
  } finally {
    await file.release();
  }
}

function openError(cause: unknown): ChannelOpenError {
  const isOutside = cause instanceof OutsideRootsError;
  return openFailure(isOutside ? OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED : OPEN_FAILED_CONNECT_FAILED, cause);
}
