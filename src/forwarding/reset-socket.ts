import type { Socket } from "node:net";

/** Tells the other end that the connection has failed, where that can be told: sockets of the file system only end. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.localPort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
