import type { FileServerConnection, FileServerStream } from "../../files/file-server-stream.js";

/** The stream that carries a session of SFTP. A channel of SSH has the optional properties. */
export interface SFTPStream extends FileServerStream {
  /** The connection of the channel: for the log, for hooks, and for workarounds by the version of the client. */
  readonly connection?: FileServerConnection & {
    /** The client's identification line (RFC 4253 §4.2). */
    readonly clientVersion: string;
  };
  /** Fires when nobody takes replies any more. `close` may come much later, behind input that is still unread. */
  readonly signal?: AbortSignal;
}
