import { checkInteger, checkOptions, checkText } from "../base/option-checks.js";
import { Reader } from "../protocol/reader.js";
import { Writer } from "../protocol/writer.js";

/** A port that the peer sends may be any number of 32 bits; one over this cannot be meant. */
export const MAX_PORT = 65_535;

/** The target that a client wants to be connected to by a channel of type `direct-tcpip` (RFC 4254 §7.2). */
export interface DirectTcpip {
  /** A name or an address, as the client says it. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
  /** The origin of the connection that is forwarded, as the client says: it may be anything. */
  readonly originatorAddress: string;
  /** 0 to 65535, as the client says. */
  readonly originatorPort: number;
}

/** The same for `direct-streamlocal@openssh.com` (OpenSSH PROTOCOL §2.4). */
export interface DirectStreamlocal {
  /** In the bytes that the client has sent. */
  readonly socketPath: Buffer;
}

/**
 * A connection that has come to a port, for the client that had it listened on, by a channel of type `forwarded-tcpip`
 * (RFC 4254 §7.2).
 */
export interface ForwardedTcpip {
  /** The address as the client has asked for it: by that and the port it knows which of its requests is meant. */
  readonly address: string;
  /** The port that is listened on, also where the client has left the choice to the server. */
  readonly port: number;
  /** The origin of the connection. */
  readonly originatorAddress: string;
  /** The port there, 0 to 65535. */
  readonly originatorPort: number;
}

/** The same for `forwarded-streamlocal@openssh.com` (OpenSSH PROTOCOL §2.4). */
export interface ForwardedStreamlocal {
  /** As the client has asked for it. */
  readonly socketPath: string | Uint8Array;
}

/** The fields of a CHANNEL_OPEN message that belong to its channel type: as bytes where the library does not know it. */
export type OpenFields = DirectTcpip | DirectStreamlocal | Buffer;

/** @throws {ProtocolError} when the fields of a type that is known are malformed */
export function readOpenFields(kind: string, fields: Buffer): OpenFields {
  switch (kind) {
    case "direct-tcpip":
      return readDirectTcpip(fields);
    case "direct-streamlocal@openssh.com":
      return readDirectStreamlocal(fields);
    default:
      return Buffer.from(fields);
  }
}

/** @throws {ProtocolError} when they are malformed */
function readDirectTcpip(fields: Buffer): DirectTcpip {
  const reader = new Reader(fields);
  const open = {
    host: reader.readText(),
    port: reader.readUint32(),
    originatorAddress: reader.readText(),
    originatorPort: reader.readUint32(),
  };
  reader.end();
  return open;
}

function readDirectStreamlocal(fields: Buffer): DirectStreamlocal {
  const reader = new Reader(fields);
  const socketPath = Buffer.from(reader.readString());
  // Reserved.
  reader.readString();
  reader.readUint32();
  reader.end();
  return { socketPath };
}

/**
 * The fields for `connection.openChannel("forwarded-tcpip", fields)`.
 *
 * @throws {ConfigurationError} naming the field that cannot be sent
 */
export function encodeForwardedTcpip(fields: ForwardedTcpip): Buffer {
  const { address, port, originatorAddress, originatorPort } = checkOptions(fields, [
    "address",
    "port",
    "originatorAddress",
    "originatorPort",
  ]);
  return new Writer()
    .writeString(checkText("address", address))
    .writeUint32(checkInteger("port", port, 0, MAX_PORT))
    .writeString(checkText("originatorAddress", originatorAddress))
    .writeUint32(checkInteger("originatorPort", originatorPort, 0, MAX_PORT))
    .toBuffer();
}

/**
 * The fields for `connection.openChannel("forwarded-streamlocal@openssh.com", fields)`.
 *
 * @throws {ConfigurationError} when the path is neither a text nor bytes
 */
export function encodeForwardedStreamlocal(fields: ForwardedStreamlocal): Buffer {
  const { socketPath } = checkOptions(fields, ["socketPath"]);
  const path = socketPath instanceof Uint8Array ? socketPath : checkText("socketPath", socketPath, "a text or bytes");
  // Behind it is a reserved string.
  return new Writer().writeString(path).writeString("").toBuffer();
}
