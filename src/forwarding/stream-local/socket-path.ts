/** Longest path of a socket, bytes: `sun_path` of unix(7) holds one more, and of other systems less. */
export const MAX_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/** The socket that a path names. */
export interface SocketPath {
  readonly folder: string;
  readonly name: string;
}

/**
 * Reads the path of a socket as a client says it: absolute, and of names alone.
 *
 * @returns `undefined` where no socket is to have this path
 */
export function parseSocketPath(path: string): SocketPath | undefined {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) return undefined;
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) return undefined;
  const names = path.split("/").filter((name) => name !== "");
  const name = names.pop();
  if (name === undefined || [...names, name].some((part) => part === "." || part === "..")) return undefined;
  return { folder: `/${names.join("/")}`, name };
}
