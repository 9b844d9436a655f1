import type { Duplex } from "node:stream";

/** The stream of a session: any stream of bytes in both directions. A channel of SSH has the optional methods. */
export interface FileServerStream extends Duplex {
  /** Reports how the session went: 0, or 1 when it failed. */
  sendExitStatus?(status: number): void;
  /** Closes the stream once all that was written has gone out. */
  close?(): void;
}
