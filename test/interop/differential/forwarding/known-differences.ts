import type { Credential } from "./credentials.js";
import type { Outcome } from "./outcome.js";
import type { ForwardingRequest } from "./requests.js";
import type { Settings } from "./settings.js";

/** One request at one login. */
export interface ForwardingCase {
  readonly settings: Settings;
  readonly credential: Credential;
  readonly request: ForwardingRequest;
}

/** What of an outcome is different. */
export interface Difference {
  readonly of: Exclude<keyof Outcome, "boundThen">;
  readonly sshd: string;
  readonly ours: string;
}

/** Where we do not decide as sshd does, and mean it. `docs/strictness.md` has them all. */
export interface KnownDifference extends Difference {
  readonly what: string;
  readonly why: string;
  /** It shows only where sshd runs as root. */
  readonly asRoot?: boolean;
  applies(one: ForwardingCase): boolean;
}

const about =
  (...kinds: readonly ForwardingRequest["kind"][]) =>
  ({ request }: ForwardingCase): boolean =>
    kinds.includes(request.kind);

const hasPermitListen = ({ settings, credential: { line = "", principalLine = "" } }: ForwardingCase): boolean =>
  /permitlisten/i.test(`${settings.title} ${line} ${principalLine}`);

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    what: "To be connected to a port of the host `*`",
    of: "decision",
    sshd: "connected",
    ours: "connect failed",
    why: "It is not the name of a host. The C library takes it for loopback.",
    applies: ({ request }) => request.kind === "direct-tcpip" && request.host === "*",
  },
  {
    what: "To be connected to a socket, where that is not permitted",
    of: "decision",
    sshd: "connect failed",
    ours: "prohibited",
    why: "RFC 4254 §5.1 has a reason for it.",
    applies: about("direct-streamlocal"),
  },
  {
    what: 'To be connected to a socket, with `permitopen="*:*"`',
    of: "decision",
    sshd: "connected",
    ours: "prohibited",
    why: "The list is about hosts and ports, and a socket has neither. sshd refuses it with any other list, too.",
    applies: about("direct-streamlocal"),
  },
  {
    what: "To listen on a socket, with a list of `permitlisten`",
    of: "decision",
    sshd: "granted",
    ours: "refused",
    why: "The list says where the client may listen, and the socket is not in it.",
    applies: (one) => about("streamlocal-forward")(one) && hasPermitListen(one),
  },
  {
    what: "To listen on a socket that the client has listened on already, where sockets are replaced",
    of: "second",
    sshd: "granted",
    ours: "refused",
    why: "The first listener would go on, and nobody could reach it.",
    applies: ({ request, settings }) =>
      request.kind === "streamlocal-forward" && settings.forwarding?.socketBindUnlink === true,
  },
  {
    what: "The file of a socket, once nobody listens on it any more",
    of: "file",
    sshd: "stays",
    ours: "is removed",
    why: "It would be in the way of the next one.",
    applies: about("streamlocal-forward"),
  },
  {
    what: "To listen on a port under 1024, where sshd runs as root",
    of: "decision",
    sshd: "granted",
    ours: "refused",
    why: "These ports are for the services of the machine. `privilegedPorts` allows them.",
    asRoot: true,
    applies: ({ request }) => request.kind === "tcpip-forward" && request.port === "low",
  },
  {
    what: "To listen on a port over 65,535",
    of: "decision",
    sshd: "granted",
    ours: "refused",
    why: "There is no such port. sshd listens on the lower half of the number, which nobody has asked for.",
    applies: ({ request }) => request.kind === "tcpip-forward" && request.port === "too large",
  },
  {
    what: "To listen on an address in brackets",
    of: "decision",
    sshd: "granted",
    ours: "refused",
    why: "It is neither an address nor a name. sshd does not read it where GatewayPorts alone decides.",
    applies: ({ request }) => request.kind === "tcpip-forward" && request.address === "[::1]",
  },
  {
    what: "To listen on a port that is in use at one of several addresses",
    of: "second",
    sshd: "granted",
    ours: "refused",
    why: "Clients of that address would reach another program. sshd listens on the other addresses.",
    applies: about("tcpip-forward"),
  },
  {
    what: "The agent, for another time on a connection",
    of: "second",
    sshd: "refused",
    ours: "granted",
    why: "Each session may ask. sshd grants the first request of a connection.",
    applies: about("agent"),
  },
  {
    what: "X11 with a cookie that is empty, or not whole bytes in hexadecimal",
    of: "decision",
    sshd: "granted",
    ours: "refused",
    why: "No X client could show it: RFC 4254 §6.3.1 has it in hexadecimal. An empty one would let in everybody.",
    applies: ({ request }) => request.kind === "x11" && ["", "0011x"].includes(request.cookie ?? ""),
  },
];
