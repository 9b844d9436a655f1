import { MessageNumber as M } from "../protocol/constants.js";

/** The progress of a connection. Together with `Disposition` this decides which messages can reach a handler at all. */
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

/** Message numbers, both ends included. */
export const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** DISCONNECT, IGNORE, UNIMPLEMENTED and DEBUG (RFC 4253 §11). */
export const transportMessages = [M.DISCONNECT, M.IGNORE, M.UNIMPLEMENTED, M.DEBUG];
export const keyExchangeMessages = [M.KEXINIT, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)];

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
 * The disposition of each message number in one phase.
 *
 * @param unknown the disposition of numbers that mean nothing anywhere
 * @param exceptions numbers that are neither allowed nor forbidden though they mean something
 */
export function dispositions(
  allowed: readonly number[],
  unknown: Disposition,
  exceptions: ReadonlyMap<number, Disposition> = new Map(),
): readonly Disposition[] {
  return range(0, 255).map((number) => {
    if (allowed.includes(number)) return "allowed";
    return exceptions.get(number) ?? (known.has(number) ? "forbidden" : unknown);
  });
}

/** For each phase, what becomes of each message number that comes from the peer. */
export type PhaseTable = Readonly<Record<Phase, readonly Disposition[]>>;

export function dispositionOf(table: PhaseTable, phase: Phase, messageNumber: number): Disposition {
  return table[phase][messageNumber] ?? "forbidden";
}
