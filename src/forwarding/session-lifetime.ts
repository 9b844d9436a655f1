import { setMaxListeners } from "node:events";
import type { SessionChannel } from "../session/session-channel.js";

/**
 * The lifetime of what is forwarded on a session.
 *
 * @param ended makes the reason of the signal
 * @returns a signal that fires when the channel is closed by the client or here, or its connection ends
 */
export function sessionLifetime(channel: SessionChannel, ended: () => Error): AbortSignal {
  const lifetime = new AbortController();
  // Each program that is connected listens, and takes its listener back.
  setMaxListeners(0, lifetime.signal);
  const end = () => lifetime.abort(ended());
  if (channel.destroyed || channel.signal.aborted) end();
  channel.once("close", end);
  channel.signal.addEventListener("abort", end, { once: true });
  return lifetime.signal;
}
