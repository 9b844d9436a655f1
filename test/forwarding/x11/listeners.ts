import { Server } from "node:net";
import { onTestFinished, vi } from "vitest";

/**
 * Watches what starts to listen from now on, until the test is over. What a display has given back may be another test's
 * by now, so it does not show whether a connection is accepted there.
 *
 * @returns tells how many ports of them are listened on
 */
export function watchListeners(): () => number {
  const listen = vi.spyOn(Server.prototype, "listen");
  onTestFinished(() => listen.mockRestore());
  const servers = listen.mock.contexts;
  return () => servers.filter((server) => server instanceof Server && server.listening).length;
}
