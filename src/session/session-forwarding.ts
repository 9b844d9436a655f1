import type { ForwardedAgent } from "./forwarded-agent.js";
import type { ForwardedX11, X11Request } from "./forwarded-x11.js";
import type { SessionChannel } from "./session-channel.js";

/** Makes what the sessions of a connection forward to the client, where it is allowed. */
export interface SessionForwarding {
  agent(channel: SessionChannel): ForwardedAgent;
  /** @returns `undefined` where the request is not a sensible one */
  x11(channel: SessionChannel, request: X11Request): ForwardedX11 | undefined;
}
