import { connect, type Socket } from "node:net";
import { ChannelOpenError } from "../../connection/channel-open-error.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_FAILED_CONNECT_FAILED } from "../../protocol/constants.js";
import { holdFile, OutsideRootsError } from "./held-file.js";
import { parseSocketPath } from "./socket-roots.js";

export interface ConnectSocketOptions {
  /** Folders, by absolute paths, in one of which the socket has to be. */
  readonly roots: readonly string[];
  /** Ends the connecting. */
  readonly signal: AbortSignal;
  /** Milliseconds that the connecting may take. */
  readonly timeout: number;
}

/**
 * Connects to a socket of the file system that lies in one of the roots, and does not lead out of them by a link.
 *
 * @param path as the client says it
 * @throws {ChannelOpenError} which tells the client no more than whether the path is allowed; the rest is its cause
 */
export async function connectSocket(path: string, { roots, signal, timeout }: ConnectSocketOptions): Promise<Socket> {
  const connecting = connectInside(path, roots);
  try {
    return await before(connecting, signal, timeout);
  } catch (cause) {
    // It may still come: the disk takes its time.
    connecting.then(
      (socket) => socket.destroy(),
      () => {},
    );
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

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** @throws when the signal fires, or the time is over, before */
async function before<Value>(promise: Promise<Value>, signal: AbortSignal, timeout: number): Promise<Value> {
  let stop = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("connecting has taken too long")), timeout);
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
    };
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop();
  }
}

function openError(cause: unknown): ChannelOpenError {
  return cause instanceof OutsideRootsError
    ? new ChannelOpenError(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "administratively prohibited", { cause })
    : new ChannelOpenError(OPEN_FAILED_CONNECT_FAILED, "connect failed", { cause });
}
