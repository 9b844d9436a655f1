import type { Duplex } from "node:stream";

/** The connection that files are served to: the part of the one that hooks see that file servers need. */
export interface FileServerConnection {
  /** Name of the authenticated user. */
  readonly username?: string | undefined;
  /** The user, with whatever the login has given by `new Grant({ data })`. */
  readonly identity?: { readonly data: unknown } | undefined;
}

/** The way to the client of a file server: bytes in both directions. A channel of SSH has the optional members. */
export interface FileServerStream extends Duplex {
  /** The connection of a channel, whose server's logger is used where no other is given. */
  readonly connection?: FileServerConnection;
  /** Reports how the session went: 0, or 1 when it failed. */
  sendExitStatus?(status: number): void;
  /** Closes the stream once all that was written has gone out. */
  close?(): void;
}
