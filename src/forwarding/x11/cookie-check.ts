import type { Socket } from "node:net";
import { COOKIE_PROTOCOL, showsCookie } from "./client-setup.js";
import type { Credentials } from "./x11-request.js";

/**
 * Waits for the first message of an X client, whose socket is paused, and stays so; nothing that it sends is lost.
 *
 * @returns whether it has shown the cookie: not where it ends, or the socket is destroyed, before that
 */
export async function hasShownCookie(socket: Socket, credentials: Credentials): Promise<boolean> {
  if (credentials.protocol !== COOKIE_PROTOCOL) return true;
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (shown: boolean) => {
      socket.off("data", take).off("end", refuse).off("close", refuse);
      socket.pause();
      if (received.length > 0) socket.unshift(received);
      resolve(shown);
    };
    const take = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const shown = showsCookie(received, credentials);
      if (shown !== undefined) settle(shown);
    };
    const refuse = () => {
      received = Buffer.alloc(0);
      settle(false);
    };
    socket.on("data", take).on("end", refuse).on("close", refuse).resume();
  });
}
