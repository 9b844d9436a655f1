import type { X11Request } from "../../session/forwarded-x11.js";

/** What an X client has to show at a display. */
export interface Credentials {
  /** `MIT-MAGIC-COOKIE-1`, … */
  readonly protocol: string;
  readonly data: Buffer;
}

/** What sshd hands to xauth, which cannot be taken for anything else there; no name in use is as long. */
const AUTH_PROTOCOL = /^[\w.:/-]{1,64}$/;

/** Whole bytes in hexadecimal (RFC 4254 §6.3.1), and no more than a real cookie could have; none would let in everybody. */
const AUTH_COOKIE = /^(?:[0-9a-f]{2}){1,256}$/i;

/** Whether an authority file can be made of what a client has sent, which is for programs of the server to read. */
export function isWellFormed({ authProtocol, authCookie }: X11Request): boolean {
  return AUTH_PROTOCOL.test(authProtocol) && AUTH_COOKIE.test(authCookie.toString("latin1"));
}

/** What the X clients of the session have to show, of a request that is well-formed. */
export function credentialsOf({ authProtocol, authCookie }: X11Request): Credentials {
  return { protocol: authProtocol, data: Buffer.from(authCookie.toString("latin1"), "hex") };
}
