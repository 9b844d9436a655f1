import { describe, expect, it } from "vitest";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { remedyFor } from "../../src/server/remedies.js";
import { letsAnybodyIn, SSHServer, type SSHServerOptions } from "../../src/server/ssh-server.js";

const refuse = () => false;

/** A server that has a hook of its own. */
function withHook(hook: string): SSHServer {
  const server = new SSHServer();
  Object.defineProperty(server, hook, { value: () => false });
  return server;
}

describe("the remedy for what nothing in a server allows", () => {
  it.each([
    ["channel request", "odd", "checkUnknownChannelRequest"],
    ["global request", "odd", "checkGlobalRequest"],
    ["channel", "odd", "checkChannelRequest"],
  ] as const)("is a hook: %s %s", (what, kind, hook) => {
    expect(remedyFor(new SSHServer(), what, kind)).toBe(`override ${hook}`);
    expect(remedyFor(withHook(hook), what, kind)).toBeUndefined();
  });

  it.each([
    ["channel request", "x11-req", "checkChannelX11Request", { x11: false }],
    ["channel request", "auth-agent-req@openssh.com", "checkChannelForwardAgentRequest", { agent: false }],
    ["channel", "direct-tcpip", "checkLocalForwardRequest", { local: refuse }],
    ["channel", "direct-streamlocal@openssh.com", "checkLocalForwardRequest", { local: refuse }],
    ["global request", "tcpip-forward", "checkPortForwardRequest", { remote: refuse }],
    ["global request", "streamlocal-forward@openssh.com", "checkSocketForwardRequest", { remote: refuse }],
  ] as const)("is a hook or a declaration: %s %s", (what, kind, hook, forwarding) => {
    const [name] = Object.keys(forwarding);
    expect(remedyFor(new SSHServer(), what, kind)).toBe(`declare forwarding.${name}, or override ${hook}`);
    expect(remedyFor(withHook(hook), what, kind)).toBeUndefined();
    expect(remedyFor(new SSHServer({ forwarding }), what, kind)).toBeUndefined();
  });

  it.each([
    ["exec", "session", "checkChannelExecRequest"],
    ["shell", "session", "checkChannelShellRequest"],
    ["subsystem", "sftp", "checkChannelSubsystemRequest"],
    ["pty-req", "session", "checkChannelPtyRequest"],
    ["env", "session", "checkChannelEnvRequest"],
  ])("is a hook or the declaration of sessions or files: %s", (kind, declaration, hook) => {
    const remedy = (server: SSHServer) => remedyFor(server, "channel request", kind);
    expect(remedy(new SSHServer())).toBe(`declare ${declaration}, or override ${hook}`);
    const servers = [withHook(hook), new SSHServer({ session: () => {} }), new SSHServer({ sftp: "/" })];
    for (const server of servers) expect(remedy(server)).toBeUndefined();
  });

  it("is not needed where a hook for others is asked as well", () => {
    expect(remedyFor(withHook("checkChannelRequest"), "channel", "direct-tcpip")).toBeUndefined();
    const socket = "streamlocal-forward@openssh.com";
    expect(remedyFor(withHook("checkGlobalRequest"), "global request", socket)).toBeUndefined();
  });

  it.each(["window-change", "signal", "break"])("is not there for what no hook allows: %s", (kind) => {
    expect(remedyFor(new SSHServer(), "channel request", kind)).toBeUndefined();
  });
});

describe("a server that lets somebody in", () => {
  const server = (options: SSHServerOptions) => new SSHServer(options);
  const succeed = () => AUTH_SUCCESSFUL;

  it("has a hook or a declaration for that", () => {
    expect(letsAnybodyIn(new SSHServer())).toBe(false);
    expect(letsAnybodyIn(server({ authentication: { permissions: {} } }))).toBe(false);
    for (const method of ["publicKey", "password", "keyboardInteractive"]) {
      expect(letsAnybodyIn(server({ authentication: { [method]: succeed } }))).toBe(true);
    }
    for (const hook of ["None", "Password", "Publickey", "KeyboardInteractive"]) {
      expect(letsAnybodyIn(withHook(`checkAuth${hook}`))).toBe(true);
    }
    expect(letsAnybodyIn(withHook("checkAuthPasswordChange"))).toBe(false);
  });
});
