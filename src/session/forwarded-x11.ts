import type { FileOwner } from "./file-owner.js";

/** A display of the client, as programs on the server see it. */
export interface X11Display {
  /** Value of DISPLAY: `localhost:10.0`. */
  readonly display: string;
  /** Value of XAUTHORITY: the path of a file with the cookie, which is there as long as the channel. */
  readonly authorityFile: string;
}

/** The fields of a client's `x11-req` (RFC 4254 §6.3.1). */
export interface X11Request {
  /** Only the first connection of a program is to be forwarded. */
  readonly singleConnection: boolean;
  /** `MIT-MAGIC-COOKIE-1`, … */
  readonly authProtocol: string;
  /** Hexadecimal digits. The client makes them up for the session, and puts its own cookie in their place. */
  readonly authCookie: Buffer;
  /** Number of the screen at the client, mostly 0. */
  readonly screenNumber: number;
}

/** X11 forwarding of a session, which the client has asked for and is allowed. */
export interface ForwardedX11 extends X11Request {
  /**
   * Makes a display for the session's programs, whose connections go to the client: a port on loopback and an authority
   * file with the cookie, for DISPLAY and XAUTHORITY in the channel's `environment`. Both are gone with the channel. The
   * display is made once: later calls get the same.
   *
   * @param owner of the file and its directory, as the first call says
   * @returns the values of DISPLAY and XAUTHORITY. Rejects with a ConfigurationError naming the option that cannot be used, when
   *   no display is free, when the file cannot be written, and when the channel is closed
   */
  listen(owner?: FileOwner): Promise<X11Display>;
}
