import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { parseAddress } from "../addresses/address.js";
import { checkInteger, checkMethods, checkOptions, checkText } from "../base/option-checks.js";
import type { Proxied } from "./admission/proxy-header.js";

/** The addresses that a stream comes from and has come in by, for logs and hooks. */
export interface StreamInfo {
  /** The address that the client connects from. */
  readonly remoteAddress?: string | undefined;
  /** The port that the client connects from. */
  readonly remotePort?: number | undefined;
  /** The address that the client has connected to. */
  readonly localAddress?: string | undefined;
  /** The port that the client has connected to. */
  readonly localPort?: number | undefined;
}

/** The methods of a stream that a connection calls, some of them long after it was handed over. */
const STREAM_METHODS = ["on", "once", "off", "write", "end", "pause", "resume", "destroy"] as const;

/** @throws {ConfigurationError} when it is not a stream of both directions */
export function checkStream(stream: Duplex): Duplex {
  return checkMethods("stream", stream, STREAM_METHODS);
}

/** The addresses that a stream itself tells, if it does. */
export function streamInfo(stream: Duplex): StreamInfo {
  const { remoteAddress, remotePort, localAddress, localPort } = stream as Partial<Socket>;
  return unmapped({ remoteAddress, remotePort, localAddress, localPort });
}

/**
 * The addresses that the giver of a stream tells. The giver may also pass the socket that the stream came through.
 *
 * @throws {ConfigurationError} naming the field that cannot be used: an address with a misspelled name would be lost
 */
export function givenInfo(info: StreamInfo): StreamInfo {
  if (info instanceof Duplex) return streamInfo(info);
  const given = checkOptions(info, ["remoteAddress", "remotePort", "localAddress", "localPort"], "info");
  for (const name of ["remoteAddress", "localAddress"] as const) {
    if (given[name] !== undefined) checkText(`info.${name}`, given[name]);
  }
  for (const name of ["remotePort", "localPort"] as const) {
    if (given[name] !== undefined) checkInteger(`info.${name}`, given[name], 0, 65_535);
  }
  return unmapped(given);
}

/**
 * A proxy that speaks for itself is the client. Where the proxy does not know its client, nothing is known. The local address
 * is that of the socket between the two.
 */
export function proxiedInfo(socket: Socket, from: Proxied): StreamInfo {
  const { localAddress, localPort, ...proxy } = streamInfo(socket);
  switch (from.kind) {
    case "client":
      return unmapped({ remoteAddress: from.address, remotePort: from.port, localAddress, localPort });
    case "proxy":
      return { ...proxy, localAddress, localPort };
    case "unknown":
      return { localAddress, localPort };
  }
}

/** Gives IPv4 addresses as such: a socket that listens for both calls them `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function unmapped({ remoteAddress, remotePort, localAddress, localPort }: StreamInfo): StreamInfo {
  return { remoteAddress: plain(remoteAddress), remotePort, localAddress: plain(localAddress), localPort };
}

function plain(text: string | undefined): string | undefined {
  const address = text?.includes(":") ? parseAddress(text) : undefined;
  return address?.family === "ipv4" ? address.bytes.join(".") : text;
}
