import type { Credentials } from "./x11-request.js";

/** FamilyLocal of X.org's Xauth.h: a display of this machine. */
const FAMILY_LOCAL = 256;

/** The proof that a display of this machine asks of X clients. */
export interface AuthorityEntry extends Credentials {
  /** Of the machine, as its programs get it from the system. */
  readonly hostName: string;
  readonly displayNumber: number;
}

/**
 * An entry of the file that XAUTHORITY names (Xauth(3), "FILE FORMAT"), which X clients look up for `localhost:N` too: it is
 * the one that `xauth add unix:N` makes.
 */
export function encodeAuthorityEntry({ hostName, displayNumber, protocol, data }: AuthorityEntry): Buffer {
  const fields = [Buffer.from(hostName), Buffer.from(`${displayNumber}`), Buffer.from(protocol), data];
  return Buffer.concat([uint16(FAMILY_LOCAL), ...fields.flatMap((field) => [uint16(field.length), field])]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
