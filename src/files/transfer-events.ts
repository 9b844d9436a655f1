import { loggedPath } from "../base/logged-text.js";
import type { Logger } from "../base/logger.js";
import type { FileOutcome } from "./file-outcome.js";
import type { FileServerConnection } from "./file-server-stream.js";
import type { OpenOptions } from "./file-system.js";
import { FileTransfer, type TransferWatcher } from "./file-transfer.js";
import type { OpenedFile } from "./open-as-allowed.js";

/** A file has been closed that a client has written or read. */
export interface TransferEvent<Connection = FileServerConnection | undefined> {
  /** Whether the client has closed the file, or why not, and whether all went well. */
  readonly outcome: FileOutcome;
  /** Canonical and without links; as the file was opened: it may have been renamed since. It may hold any character. */
  readonly path: string;
  /**
   * Bytes that were written, by an upload, or read, by a download: more than the file has if some came twice, fewer if the
   * client was content with a part.
   */
  readonly bytes: number;
  /**
   * Bytes of the whole file at the end of the transfer, whichever sessions have written them: for a resumed upload all of it, for one
   * that has broken off what has come. `undefined` where its handle does not tell.
   */
  readonly size: number | undefined;
  /** Since the file was opened. */
  readonly durationMilliseconds: number;
  /** The user of the connection. */
  readonly user: string | undefined;
  /** The connection of the channel that the files are served over. */
  readonly connection: Connection;
}

/**
 * Told of each file once, when it is closed. It may be asynchronous: what it throws, or rejects with, is logged and harms
 * nothing; nobody waits for it.
 */
export type TransferListener<Connection = FileServerConnection | undefined> = {
  // As a method, so that a server of channels can take a listener that wants their connection.
  listen(event: TransferEvent<Connection>): unknown;
}["listen"];

/** Functions that hear of files which clients have put or fetched. */
export interface TransferListeners<Connection = FileServerConnection | undefined> {
  /** Hears of each file that a client has opened to be written: made, emptied or written. */
  readonly onUpload?: TransferListener<Connection>;
  /** Hears of each file that a client has read. */
  readonly onDownload?: TransferListener<Connection>;
}

/** Follows the files that a client opens, and tells those who listen how each has ended. */
export class TransferEvents implements TransferWatcher {
  readonly wantsSize: boolean;
  readonly #listeners: TransferListeners;
  readonly #connection: FileServerConnection | undefined;
  readonly #logger: Pick<Logger, "warn">;

  constructor(
    listeners: TransferListeners,
    connection: FileServerConnection | undefined,
    logger: Pick<Logger, "warn">,
  ) {
    this.wantsSize = listeners.onUpload !== undefined || listeners.onDownload !== undefined;
    this.#listeners = listeners;
    this.#connection = connection;
    this.#logger = logger;
  }

  begin(file: OpenedFile, options: OpenOptions): FileTransfer {
    return new FileTransfer(file, options, this);
  }

  ended(transfer: FileTransfer, outcome: FileOutcome): void {
    if (transfer.wasWritten) void this.#tell("onUpload", transfer, transfer.bytesWritten, outcome);
    if (transfer.wasRead) void this.#tell("onDownload", transfer, transfer.bytesRead, outcome);
  }

  async #tell(name: keyof TransferListeners, transfer: FileTransfer, bytes: number, outcome: FileOutcome) {
    const listener = this.#listeners[name];
    if (listener === undefined) return;
    const { path, size, milliseconds: durationMilliseconds } = transfer;
    const connection = this.#connection;
    try {
      await listener({ outcome, path, bytes, size, durationMilliseconds, user: connection?.username, connection });
    } catch (err) {
      this.#logger.warn({ err, path: loggedPath(path) }, `${name} has failed`);
    }
  }
}
