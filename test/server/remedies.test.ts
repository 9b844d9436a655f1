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
    ["exec", "checkChannelExecRequest"],
    ["shell", "checkChannelShellRequest"],
    ["pty-req", "checkChannelPtyRequest"],
    ["env", "checkChannelEnvRequest"],
  ])("is a hook or a session: channel request %s", (kind, hook) => {
    for (const server of [new SSHServer(), new SSHServer({ sftp: "/srv" })]) {
      expect(remedyFor(server, "channel request", kind)).toBe(`declare session, or override ${hook}`);
    }
    expect(remedyFor(withHook(hook), "channel request", kind)).toBeUndefined();
    expect(remedyFor(new SSHServer({ session: () => 0 }), "channel request", kind)).toBeUndefined();
  });

  it("is a hook, files or a session: channel request subsystem", () => {
    const remedy = (server: SSHServer) => remedyFor(server, "channel request", "subsystem");
    const or = ", or override checkChannelSubsystemRequest";
    expect(remedy(new SSHServer())).toBe(`declare sftp or session${or}`);
    expect(remedy(new SSHServer({ session: () => 0 }))).toBe(`declare sftp${or}`);
    expect(remedy(new SSHServer({ sftp: "/srv" }))).toBe(`declare session${or}`);
    expect(remedy(new SSHServer({ sftp: "/srv", session: () => 0 }))).toBeUndefined();
    expect(remedy(withHook("checkChannelSubsystemRequest"))).toBeUndefined();
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
    for (const method of ["none", "publicKey", "password", "keyboardInteractive"]) {
      expect(letsAnybodyIn(server({ authentication: { [method]: succeed } }))).toBe(true);
    }
    for (const hook of ["None", "Password", "Publickey", "KeyboardInteractive"]) {
      expect(letsAnybodyIn(withHook(`checkAuth${hook}`))).toBe(true);
    }
    expect(letsAnybodyIn(withHook("checkAuthPasswordChange"))).toBe(false);
  });
});
