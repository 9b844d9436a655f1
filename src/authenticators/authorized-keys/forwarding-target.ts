import type { ForwardingTarget } from "../../auth/permissions.js";

/** Longest name of a host, with its end (NI_MAXHOST). */
const MAX_HOST_LENGTH = 1024;

/**
 * Reads the value of `permitopen` (sshd(8)): `host:port`, an IPv6 address in brackets, `*` for any port.
 *
 * @throws {Error} when it is not such a value
 */
export function parsePermitOpen(text: string): ForwardingTarget {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^[:/][^:/]*|))[:/](.*)$/s.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || digits === undefined) throw new Error("a forwarding target is not host:port");
  if (host.length > MAX_HOST_LENGTH) throw new Error("the host of a forwarding target is too long");
  return { host, port: parsePort(digits) };
}

/**
 * Reads the value of `permitlisten` (sshd(8)): as `permitopen`, or a port alone, for any address.
 *
 * @throws {Error} when it is not such a value
 */
export function parsePermitListen(text: string): ForwardingTarget {
  return text.includes(":") ? parsePermitOpen(text) : { host: "*", port: parsePort(text) };
}

function parsePort(text: string): ForwardingTarget["port"] {
  if (text === "*") return "*";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new Error("the port of a forwarding target is not 1 to 65535 or *");
  return port;
}
