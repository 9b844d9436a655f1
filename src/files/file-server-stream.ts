import type { Duplex } from "node:stream";

/** The way to the client of a file server: bytes in both directions. A channel of SSH has the optional members. */
export interface FileServerStream extends Duplex {
  /** The connection of a channel, whose server's logger is used where no other is given. */
  readonly connection?: object;
  /** Reports how the session went: 0, or 1 when it failed. */
  sendExitStatus?(status: number): void;
  /** Closes the stream once all that was written has gone out. */
  close?(): void;
}
