import { MessageNumber as M } from "../protocol/constants.js";

/** How far a connection has come. Together with `Disposition` this decides which messages can reach a handler at all. */
export type Phase =
  /** From the first byte until both sides have taken new keys into use. */
  | "initial-key-exchange"
  /** The initial exchange under `kex-strict-c-v00@openssh.com`: nothing but the exchange itself (OpenSSH PROTOCOL §1.10). */
  | "strict-initial-key-exchange"
  /** Encrypted, no service yet. */
  | "service"
  /** The service ssh-userauth was accepted. */
  | "authentication"
  /** Authenticated: the service ssh-connection runs. */
  | "running"
  /** The peer's KEXINIT of a later exchange came, its NEWKEYS not yet (RFC 4253 §7.1). */
  | "rekeying"
  /** The same, before authentication was over. */
  | "rekeying-unauthenticated";

export type Disposition =
  /** Handled. */
  | "allowed"
  /** Dropped without an answer. */
  | "ignored"
  /** A number that we do not know, or do not serve in this phase: answered with UNIMPLEMENTED (RFC 4253 §11.4). */
  | "unimplemented"
  /** A number that has no business here: ends the connection. */
  | "forbidden";

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

const transportMessages = [M.DISCONNECT, M.IGNORE, M.UNIMPLEMENTED, M.DEBUG];
const keyExchangeMessages = [M.KEXINIT, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)];

/** Numbers that mean something somewhere, hence are errors wherever they are not listed. */
const known = new Set<number>([
  ...transportMessages,
  ...keyExchangeMessages,
  M.SERVICE_REQUEST,
  M.SERVICE_ACCEPT,
  M.EXT_INFO,
  M.NEWCOMPRESS,
  ...range(M.USERAUTH_REQUEST, M.USERAUTH_BANNER),
  ...range(M.USERAUTH_INFO_REQUEST, M.USERAUTH_INFO_RESPONSE),
  ...range(M.GLOBAL_REQUEST, M.REQUEST_FAILURE),
  ...range(M.CHANNEL_OPEN, M.CHANNEL_FAILURE),
  M.PING,
  M.PONG,
]);

/**
 * @param unknown what becomes of numbers that mean nothing anywhere
 * @param exceptions numbers that are neither allowed nor forbidden though they mean something
 */
function dispositions(
  allowed: readonly number[],
  unknown: Disposition,
  exceptions: ReadonlyMap<number, Disposition> = new Map(),
): readonly Disposition[] {
  return range(0, 255).map((number) => {
    if (allowed.includes(number)) return "allowed";
    return exceptions.get(number) ?? (known.has(number) ? "forbidden" : unknown);
  });
}

/** For each phase, what becomes of each message number that a client may send to a server. */
const table: Readonly<Record<Phase, readonly Disposition[]>> = {
  "initial-key-exchange": dispositions([...transportMessages, ...keyExchangeMessages], "unimplemented"),
  "strict-initial-key-exchange": dispositions([M.DISCONNECT, ...keyExchangeMessages], "forbidden"),
  service: dispositions([...transportMessages, M.KEXINIT, M.EXT_INFO, M.SERVICE_REQUEST, M.PING], "unimplemented"),
  authentication: dispositions(
    // Paramiko asks for the service again before each of its attempts.
    [...transportMessages, M.KEXINIT, M.PING, M.SERVICE_REQUEST, M.USERAUTH_REQUEST, M.USERAUTH_INFO_RESPONSE],
    "unimplemented",
  ),
  running: dispositions(
    [
      ...transportMessages,
      M.KEXINIT,
      M.PING,
      ...range(M.GLOBAL_REQUEST, M.REQUEST_FAILURE),
      M.CHANNEL_OPEN,
      ...range(M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_FAILURE),
    ],
    "unimplemented",
    new Map<number, Disposition>([
      // Authentication requests after success are silently ignored (RFC 4252 §5.1); so are answers that come too late.
      [M.USERAUTH_REQUEST, "ignored"],
      [M.USERAUTH_INFO_RESPONSE, "ignored"],
      // It answers nothing: this server sends no PING.
      [M.PONG, "ignored"],
      // Conch asks for the service of authentication again after each key exchange, and takes this answer, as sshd's.
      [M.SERVICE_REQUEST, "unimplemented"],
    ]),
  ),
  rekeying: dispositions(
    [
      ...transportMessages,
      M.NEWKEYS,
      ...range(M.KEX_FIRST, M.KEX_LAST),
      // Not allowed by RFC 4253 §7.1, but AsyncSSH as Debian 12 has it goes on sending data. The windows bound it.
      ...range(M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_CLOSE),
    ],
    "unimplemented",
  ),
  "rekeying-unauthenticated": dispositions(
    [...transportMessages, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)],
    "unimplemented",
  ),
};

export function dispositionOf(phase: Phase, messageNumber: number): Disposition {
  return table[phase][messageNumber] ?? "forbidden";
}
