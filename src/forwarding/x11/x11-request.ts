import type { X11Request } from "../../session/forwarded-x11.js";

/** The proof that a display asks of an X client. */
export interface Credentials {
  /** `MIT-MAGIC-COOKIE-1`, … */
  readonly protocol: string;
  readonly data: Buffer;
}

/** Names that sshd hands to xauth, where they cannot be taken for anything else; no name in use is as long. */
const AUTH_PROTOCOL = /^[\w.:/-]{1,64}$/;

/** Whole bytes in hexadecimal (RFC 4254 §6.3.1), and no more than a real cookie could have; none would let in everybody. */
const AUTH_COOKIE = /^(?:[0-9a-f]{2}){1,256}$/i;

/** Whether the authority protocol and the cookie of a client fit into an authority file, which programs of the server read. */
export function isWellFormed({ authProtocol, authCookie }: X11Request): boolean {
  return AUTH_PROTOCOL.test(authProtocol) && AUTH_COOKIE.test(authCookie.toString("latin1"));
}

/** The proof that X clients of a session have to show; the request is well-formed. */
export function credentialsOf({ authProtocol, authCookie }: X11Request): Credentials {
  return { protocol: authProtocol, data: Buffer.from(authCookie.toString("latin1"), "hex") };
}
