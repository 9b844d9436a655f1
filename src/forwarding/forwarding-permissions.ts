import { matchesWildcard } from "../addresses/wildcard.js";
import { namedByAll, type Permissions } from "../auth/permissions.js";
import { Reader } from "../protocol/reader.js";

/**
 * Whether a client may ask for a channel at all: for a session always, for what leads elsewhere only with the permission.
 *
 * @param fields of the CHANNEL_OPEN message that belong to its kind
 * @throws {ProtocolError} when they are malformed
 */
export function mayOpenChannel(permissions: Permissions, kind: string, fields: Buffer): boolean {
  if (kind === "session") return true;
  if (!permissions.portForwarding) return false;
  if (permissions.permitOpen.length === 0) return true;
  return kind === "direct-tcpip" && namedByAll(permissions.permitOpen, ...readTarget(fields));
}

/** Whether a client may ask the server to listen on a TCP port (RFC 4254 §7.1). */
export function mayListen({ portForwarding, permitListen }: Permissions, address: string, port: number): boolean {
  return portForwarding && namedByAll(permitListen, address, port, isLikeHost);
}

/** Longest name of a host: a pattern takes time for each character. */
const MAX_HOST_LENGTH = 1024;

function isLikeHost(host: string, pattern: string): boolean {
  return host.length <= MAX_HOST_LENGTH && matchesWildcard(host, pattern);
}

/** Whether a client may ask the server to listen on a socket of its file system (OpenSSH PROTOCOL §2.4). */
export function mayListenOnSocket({ portForwarding, permitListen }: Permissions): boolean {
  return portForwarding && permitListen.length === 0;
}

/** RFC 4254 §7.2. */
function readTarget(fields: Buffer): [host: string, port: number] {
  const reader = new Reader(fields);
  const target: [string, number] = [reader.readText(), reader.readUint32()];
  reader.readText();
  reader.readUint32();
  reader.end();
  return target;
}
