import type { SessionHooks } from "../session/session-requests.js";
import { allowedBy, startedBy } from "./hook-answers.js";
import type { SessionRunner } from "./session-runner.js";
import type { SSHServer } from "./ssh-server.js";

/** The session hooks of a server: they find everything on the channel, so that all connections share them. */
export function bindSessionHooks(server: SSHServer, runner: SessionRunner): SessionHooks {
  const started: typeof startedBy = (channel, hook, call) => runner.begin(channel, startedBy(channel, hook, call));
  return {
    exec: (channel, command) =>
      started(channel, "checkChannelExecRequest", () => server.checkChannelExecRequest(channel, command)),
    shell: (channel) => started(channel, "checkChannelShellRequest", () => server.checkChannelShellRequest(channel)),
    subsystem: (channel, name) =>
      started(channel, "checkChannelSubsystemRequest", () => server.checkChannelSubsystemRequest(channel, name)),
    pty: (channel, { term, width, height, pixelWidth, pixelHeight, modes }) =>
      allowedBy("checkChannelPtyRequest", () =>
        server.checkChannelPtyRequest(channel, term, width, height, pixelWidth, pixelHeight, modes),
      ),
    windowChange: (channel, { width, height, pixelWidth, pixelHeight }) =>
      allowedBy("checkChannelWindowChangeRequest", () =>
        server.checkChannelWindowChangeRequest(channel, width, height, pixelWidth, pixelHeight),
      ),
    environment: (channel, name, value) =>
      allowedBy("checkChannelEnvRequest", () => server.checkChannelEnvRequest(channel, name, value)),
    x11: (channel, singleConnection, authProtocol, authCookie, screenNumber) =>
      allowedBy("checkChannelX11Request", () =>
        server.checkChannelX11Request(channel, singleConnection, authProtocol, authCookie, screenNumber),
      ),
    agent: (channel) =>
      allowedBy("checkChannelForwardAgentRequest", () => server.checkChannelForwardAgentRequest(channel)),
    unknown: (channel, kind, payload) =>
      allowedBy("checkUnknownChannelRequest", () => server.checkUnknownChannelRequest(channel, kind, payload)),
  };
}
