import { type DecidingHook, overrides, type SSHServer, sessionsOf } from "./ssh-server.js";

/** A way in which a program allows something that clients ask for. */
interface Way {
  readonly hook: DecidingHook;
  /** The declaration that stands for the hook: of `forwarding`, or `session` and `sftp`, which decide about all of a session. */
  readonly declaration?:
    | "forwarding.local"
    | "forwarding.remote"
    | "forwarding.agent"
    | "forwarding.x11"
    | "session"
    | "sftp";
  /** The hook that is asked where there is neither. */
  readonly otherwise?: DecidingHook;
}

const LOCAL: Way = {
  hook: "checkLocalForwardRequest",
  declaration: "forwarding.local",
  otherwise: "checkChannelRequest",
};

/** For each kind of request, and of channel, that has a way of its own. */
const WAYS: ReadonlyMap<string, Way> = new Map<string, Way>([
  ["exec", { hook: "checkChannelExecRequest", declaration: "session" }],
  ["shell", { hook: "checkChannelShellRequest", declaration: "session" }],
  ["subsystem", { hook: "checkChannelSubsystemRequest", declaration: "sftp" }],
  ["pty-req", { hook: "checkChannelPtyRequest", declaration: "session" }],
  ["env", { hook: "checkChannelEnvRequest", declaration: "session" }],
  ["x11-req", { hook: "checkChannelX11Request", declaration: "forwarding.x11" }],
  ["auth-agent-req@openssh.com", { hook: "checkChannelForwardAgentRequest", declaration: "forwarding.agent" }],
  ["direct-tcpip", LOCAL],
  ["direct-streamlocal@openssh.com", LOCAL],
  ["tcpip-forward", { hook: "checkPortForwardRequest", declaration: "forwarding.remote" }],
  [
    "streamlocal-forward@openssh.com",
    { hook: "checkSocketForwardRequest", declaration: "forwarding.remote", otherwise: "checkGlobalRequest" },
  ],
]);

/** What is answered by the library, or by listeners of a channel: no hook allows it. */
const WITHOUT_A_HOOK = ["window-change", "signal", "break", "eow@openssh.com"];

/** For all others. */
const OTHER_WAYS = {
  channel: { hook: "checkChannelRequest" },
  "channel request": { hook: "checkUnknownChannelRequest" },
  "global request": { hook: "checkGlobalRequest" },
} satisfies Record<string, Way>;

/**
 * What to do about something that nothing in a server allows, neither a hook of its own nor a declaration.
 *
 * @param kind of the channel, or of the request
 * @returns `undefined` where the server decides about it: then its decision was a refusal
 */
export function remedyFor(server: SSHServer, what: keyof typeof OTHER_WAYS, kind: string): string | undefined {
  if (WITHOUT_A_HOOK.includes(kind)) return undefined;
  const { hook, declaration, otherwise }: Way = WAYS.get(kind) ?? OTHER_WAYS[what];
  const isDeclared = declaration !== undefined && declares(server, declaration);
  const isDecided = isDeclared || overrides(server, hook) || (otherwise !== undefined && overrides(server, otherwise));
  if (isDecided) return undefined;
  return declaration === undefined ? `override ${hook}` : `declare ${declaration}, or override ${hook}`;
}

function declares(server: SSHServer, declaration: NonNullable<Way["declaration"]>): boolean {
  const { forwarding } = server;
  switch (declaration) {
    case "forwarding.local":
      return forwarding.local !== undefined;
    case "forwarding.remote":
      return forwarding.remote !== undefined;
    case "forwarding.agent":
      return forwarding.agent !== undefined;
    case "forwarding.x11":
      return forwarding.x11 !== undefined;
    default:
      return sessionsOf(server).isDeclared;
  }
}
