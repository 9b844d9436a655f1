import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { parseAddress } from "../addresses/address.js";
import type { Proxied } from "./admission/proxy-header.js";

/** Where a stream comes from, for logs and hooks. */
export interface StreamInfo {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** Where a stream says that it comes from, if it does. */
export function streamInfo(stream: Duplex): StreamInfo {
  const { remoteAddress, remotePort } = stream as Partial<Socket>;
  return unmapped({ remoteAddress, remotePort });
}

/** A proxy that speaks for itself is the client; of one that the proxy does not know, nothing is known. */
export function proxiedInfo(socket: Socket, from: Proxied): StreamInfo {
  switch (from.kind) {
    case "client":
      return unmapped({ remoteAddress: from.address, remotePort: from.port });
    case "proxy":
      return streamInfo(socket);
    case "unknown":
      return {};
  }
}

/** Gives an IPv4 address as such: a socket that listens for both calls it `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export function unmapped(info: StreamInfo): StreamInfo {
  const address = info.remoteAddress === undefined ? undefined : parseAddress(info.remoteAddress);
  return address?.family === "ipv4" ? { ...info, remoteAddress: address.bytes.join(".") } : info;
}
