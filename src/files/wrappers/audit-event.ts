import type { FileErrorCode } from "../errors.js";
import type { FileOutcome } from "../file-outcome.js";
import type { AttributeChanges, OpenOptions } from "../file-system.js";

/** An action of a client, or an attempt at one. */
export type AuditEvent = AuditCircumstances & AuditOutcome & AuditedOperation;

/** The time, the duration and the user of what was done to files. */
export interface AuditCircumstances {
  /** The time when it began. */
  readonly time: Date;
  /** Milliseconds until it was done: of a `close` since the file was opened, of a `readdir` since the first entry was asked for. */
  readonly duration: number;
  /** The user who did it, as `audit` was told. */
  readonly user?: string;
}

/** The result of what was done to files. */
export interface AuditOutcome {
  /** The code of the failure, EIO where it has none; `ABORTED` for a file that the client has not closed. */
  readonly result: "OK" | "ABORTED" | FileErrorCode;
  /** The error that was thrown. It may tell more than the client was told. */
  readonly error?: unknown;
}

/** Paths are canonical and without links, whatever the client wrote. They may hold any character, line breaks too. */
export type AuditedOperation =
  | {
      readonly operation: "open";
      readonly path: string;
      readonly options: OpenOptions;
      /** A number that all events of one opened file have, and no others of the same wrapper. */
      readonly file: number;
    }
  | {
      /** A file is closed. It is a failure, the first one, if any read, write or fsync of the file was one. */
      readonly operation: "close";
      /** As the file was opened; it may have been renamed since. */
      readonly path: string;
      readonly file: number;
      /** An upload was made, emptied or written; of a file that was only hashed the client has got no content. */
      readonly kind: "upload" | "download" | "hash";
      /**
       * Bytes that were read for the client or a hash, those that it asked for twice counted twice; those it never asked for do
       * not count.
       */
      readonly bytesRead: number;
      /** Bytes of the writes that succeeded. */
      readonly bytesWritten: number;
      /**
       * Bytes of the whole file at the end of the transfer, whichever sessions have written them; absent where its handle does
       * not tell.
       */
      readonly size?: number;
      /** Completed if the client has closed the file and nothing failed that it read or wrote. */
      readonly outcome: FileOutcome;
    }
  | {
      readonly operation: "setstat";
      readonly path: string;
      readonly changes: AttributeChanges;
      /** The number of the file, if it was open and its attributes were set through its handle. */
      readonly file?: number;
    }
  | {
      /** A listing has come to its end or was broken off. */
      readonly operation: "readdir";
      readonly path: string;
      /** The number of entries that were read. */
      readonly entries: number;
    }
  | { readonly operation: "mkdir"; readonly path: string; readonly permissions: number }
  | { readonly operation: "remove" | "rmdir"; readonly path: string }
  | { readonly operation: "rename" | "posixRename" | "hardlink"; readonly path: string; readonly newPath: string }
  | {
      readonly operation: "symlink";
      /** The path of the link. */
      readonly path: string;
      /** As the client wrote it. */
      readonly target: string;
    };
