import { matchesWildcard } from "../addresses/wildcard.js";
import { namedByAll, type Permissions } from "../auth/permissions.js";
import type { OpenFields } from "./open-fields.js";

/** Whether a client may ask for a channel at all: for a session always, for what leads elsewhere only with the permission. */
export function mayOpenChannel(permissions: Permissions, kind: string, open: OpenFields): boolean {
  if (kind === "session") return true;
  if (!permissions.portForwarding) return false;
  if (permissions.permitOpen.length === 0) return true;
  return "host" in open && namedByAll(permissions.permitOpen, open.host, open.port);
}

/** Whether a client may ask the server to listen on a TCP port (RFC 4254 §7.1). */
export function mayListen({ portForwarding, permitListen }: Permissions, address: string, port: number): boolean {
  return portForwarding && namedByAll(permitListen, address, port, isLikeHost);
}

/** Longest name of a host: a pattern takes time for each character. */
const MAX_HOST_LENGTH = 1024;

/** Compares the host in small letters, and the pattern as it is written: as sshd does. */
function isLikeHost(host: string, pattern: string): boolean {
  return host.length <= MAX_HOST_LENGTH && matchesWildcard(inSmallLetters(host), pattern);
}

/** Letters of ASCII alone, so that no other character becomes one of them. */
const inSmallLetters = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Whether a client may ask the server to listen on a socket of its file system (OpenSSH PROTOCOL §2.4). */
export function mayListenOnSocket({ portForwarding, permitListen }: Permissions): boolean {
  return portForwarding && permitListen.length === 0;
}
