import type { Socket } from "node:net";

/** Closes a socket. Its peer learns that the connection has failed, where there is a way: sockets of the file system end. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // Node.js never closes a socket that is reset while it is shutting down. All that it was given has gone out by then.
  const isEnding = socket.writableEnded && socket.writableLength === 0;
  // One that still connects would not be reset before it is connected.
  if (isEnding || socket.connecting || socket.localPort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
