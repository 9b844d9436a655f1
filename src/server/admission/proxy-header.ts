import { isIPv4, isIPv6 } from "node:net";
import { textOfIPv6 } from "../../addresses/address.js";

/** Bytes of the longest header of version 1, line end included. */
const MAX_TEXT_LENGTH = 107;

/** Bytes of addresses and TLVs that a header of version 2 may have. */
const MAX_BINARY_LENGTH = 4096;

const TEXT_SIGNATURE = Buffer.from("PROXY ", "latin1");
const BINARY_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const BINARY_START = BINARY_SIGNATURE.length + 4;

/** The origin of a proxied connection: a client, the proxy itself, or someone that the proxy does not know. */
export type Proxied =
  | { readonly kind: "client"; readonly address: string; readonly port: number }
  | { readonly kind: "proxy" }
  | { readonly kind: "unknown" };

export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  readonly from: Proxied;
}

/** Not a header of the PROXY protocol, or one that makes no sense. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";
}

/**
 * Reads the header of the PROXY protocol, version 1 or 2, that a stream begins with (HAProxy's proxy-protocol.txt).
 *
 * @returns `undefined` while more bytes are needed
 * @throws {ProxyHeaderError}
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (begins(bytes, BINARY_SIGNATURE)) return bytes.length < BINARY_START ? undefined : readBinary(bytes);
  if (begins(bytes, TEXT_SIGNATURE)) return readText(bytes);
  throw new ProxyHeaderError("there is no header");
}

/** Whether the bytes, as far as they go, are those of the signature. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function readText(bytes: Buffer): ProxyHeader | undefined {
  const line = bytes.subarray(0, MAX_TEXT_LENGTH);
  const end = line.indexOf("\r\n", 0, "latin1");
  if (end < 0 && line.length < MAX_TEXT_LENGTH) return undefined;
  if (end < 0) throw new ProxyHeaderError("the header's line does not end");
  return { length: end + 2, from: parseText(line.toString("latin1", TEXT_SIGNATURE.length, end)) };
}

function parseText(text: string): Proxied {
  if (/^UNKNOWN(?: |$)/.test(text)) return { kind: "unknown" };
  const [protocol, source = "", destination = "", sourcePort = "", destinationPort = "", ...more] = text.split(" ");
  const isAddress = protocol === "TCP4" ? isIPv4 : protocol === "TCP6" ? isPlainIPv6 : undefined;
  if (isAddress === undefined) throw new ProxyHeaderError("the header's protocol is none of TCP4, TCP6 and UNKNOWN");
  if (!isAddress(source) || !isAddress(destination)) throw new ProxyHeaderError("the header has a wrong address");
  if (!isPort(sourcePort) || !isPort(destinationPort)) throw new ProxyHeaderError("the header has a wrong port");
  if (more.length > 0) throw new ProxyHeaderError("the header has more than addresses and ports");
  return { kind: "client", address: source, port: Number(sourcePort) };
}

/** Node.js takes zones too, which mean nothing elsewhere. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader | undefined {
  const [versionAndCommand = 0, family = 0] = bytes.subarray(BINARY_SIGNATURE.length);
  const bodyLength = bytes.readUInt16BE(BINARY_START - 2);
  if (versionAndCommand >> 4 !== 2) throw new ProxyHeaderError("the header has an unknown version");
  const command = versionAndCommand & 0x0f;
  if (command > 1) throw new ProxyHeaderError("the header has an unknown command");
  if (bodyLength > MAX_BINARY_LENGTH) throw new ProxyHeaderError("the header is too long");
  const length = BINARY_START + bodyLength;
  if (command === 1) checkFamily(family, bodyLength);
  if (bytes.length < length) return undefined;
  return { length, from: command === 0 ? { kind: "proxy" } : proxied(family, bytes.subarray(BINARY_START, length)) };
}

/** Address family and transport (§2.2), and the bytes that their addresses and ports take. */
const ADDRESS_LENGTHS: Readonly<Record<number, number>> = { 0: 0, 17: 12, 33: 36, 49: 216 };
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

function checkFamily(family: number, bodyLength: number): void {
  const needed = ADDRESS_LENGTHS[family];
  if (needed === undefined) throw new ProxyHeaderError("the header has an impossible address family or transport");
  if (bodyLength < needed) throw new ProxyHeaderError("the header is too short for its addresses");
}

/** The TLVs, which follow the addresses, say nothing that is asked for here. */
function proxied(family: number, body: Buffer): Proxied {
  switch (family) {
    case TCP_OVER_IPV4:
      return { kind: "client", address: body.subarray(0, 4).join("."), port: body.readUInt16BE(8) };
    case TCP_OVER_IPV6:
      return { kind: "client", address: textOfIPv6(body.subarray(0, 16)), port: body.readUInt16BE(32) };
    default:
      return { kind: "unknown" };
  }
}
