import { type DecidingHook, overrides, type SSHServer, sessionsOf } from "./ssh-server.js";

/** A way in which a program allows something that clients ask for. */
interface Way {
  readonly hook: DecidingHook;
  /** The declaration that stands for the hook. */
  readonly forwarding?: "local" | "remote" | "agent" | "x11";
  /** The declarations that stand for it together, each for requests of its own. */
  readonly sessions?: readonly ("session" | "sftp")[];
  /** The hook that is asked where there is neither. */
  readonly otherwise?: DecidingHook;
}

const LOCAL: Way = { hook: "checkLocalForwardRequest", forwarding: "local", otherwise: "checkChannelRequest" };

/** For each kind of request, and of channel, that has a way of its own. */
const WAYS: ReadonlyMap<string, Way> = new Map<string, Way>([
  ["exec", { hook: "checkChannelExecRequest", sessions: ["session"] }],
  ["shell", { hook: "checkChannelShellRequest", sessions: ["session"] }],
  ["subsystem", { hook: "checkChannelSubsystemRequest", sessions: ["sftp", "session"] }],
  ["pty-req", { hook: "checkChannelPtyRequest", sessions: ["session"] }],
  ["env", { hook: "checkChannelEnvRequest", sessions: ["session"] }],
  ["x11-req", { hook: "checkChannelX11Request", forwarding: "x11" }],
  ["auth-agent-req@openssh.com", { hook: "checkChannelForwardAgentRequest", forwarding: "agent" }],
  ["direct-tcpip", LOCAL],
  ["direct-streamlocal@openssh.com", LOCAL],
  ["tcpip-forward", { hook: "checkPortForwardRequest", forwarding: "remote" }],
  [
    "streamlocal-forward@openssh.com",
    { hook: "checkSocketForwardRequest", forwarding: "remote", otherwise: "checkGlobalRequest" },
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
  const { hook, forwarding, sessions, otherwise }: Way = WAYS.get(kind) ?? OTHER_WAYS[what];
  const missing = sessions?.filter((name) => !sessionsOf(server).declares(name)) ?? [];
  const isDeclared =
    forwarding === undefined
      ? sessions !== undefined && missing.length === 0
      : server.forwarding[forwarding] !== undefined;
  const isDecided = isDeclared || overrides(server, hook) || (otherwise !== undefined && overrides(server, otherwise));
  if (isDecided) return undefined;
  const declarations = forwarding === undefined ? missing : [`forwarding.${forwarding}`];
  return declarations.length === 0 ? `override ${hook}` : `declare ${declarations.join(" or ")}, or override ${hook}`;
}
