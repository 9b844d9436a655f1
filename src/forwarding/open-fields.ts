import { Reader } from "../protocol/reader.js";

/** A port that the peer sends may be any number of 32 bits; one over this cannot be meant. */
export const MAX_PORT = 65_535;

/** The target that a client wants to be connected to by a channel of type `direct-tcpip` (RFC 4254 §7.2). */
export interface DirectTcpip {
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
  /** The origin of the connection that is forwarded, as the client says: it may be anything. */
  readonly originatorAddress: string;
  readonly originatorPort: number;
}

/** The same for `direct-streamlocal@openssh.com` (OpenSSH PROTOCOL §2.4). */
export interface DirectStreamlocal {
  /** In the bytes that the client has sent. */
  readonly socketPath: Buffer;
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
export function readDirectTcpip(fields: Buffer): DirectTcpip {
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
