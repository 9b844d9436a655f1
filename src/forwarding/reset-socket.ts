import type { Socket } from "node:net";

/** Tells the other end that the connection has failed, where that can be told: sockets of the file system only end. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // Node.js never closes a socket that is reset while it is shutting down. All that it was given has gone out by then.
  const isEnding = socket.writableEnded && socket.writableLength === 0;
  if (isEnding || socket.localPort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
